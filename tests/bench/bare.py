"""The baseline: a Textual app with a header, a table and a footer, and nothing behind them."""

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import DataTable, Footer, Header


class Bare(App[None]):
    BINDINGS = [Binding("q", "quit", "Quit"), Binding("x", "nothing", "Nothing")]

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable(cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("GPU", "memory", "free")
        table.add_rows([(f"gpu {row}", "80 GB", "8 GB") for row in range(60)])

    def action_nothing(self) -> None:
        pass


if __name__ == "__main__":
    Bare().run(mouse=False)
