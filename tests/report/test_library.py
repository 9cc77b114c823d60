"""The reference as text: every article is made, every link leads somewhere, and every figure is computed."""

from __future__ import annotations

import csv
import io
import re
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import infratui
from infratui.catalog import reference
from infratui.catalog.load import Catalog
from infratui.engine.evaluate import evaluate
from infratui.engine.metrics import READERS, metric
from infratui.report.article import Run
from infratui.report.layout import Piece, as_markdown, lay_out, plain, wrap
from infratui.report.library import Library
from infratui.report.sections import SECTIONS
from infratui.report.tables import as_csv, catalog_table, table_names
from infratui.report.terms import SCREENS
from infratui.scenario import INPUTS, Scenario

LIBRARY = Library.open()
FACTS = Catalog()
KEYS = [entry.key for entry in LIBRARY.contents()]


class TestArticles:
    @pytest.mark.long
    def test_every_link_leads_somewhere(self) -> None:
        known = {*KEYS, *(f"screen:{name}" for name in SCREENS)}
        for key in KEYS:
            assert set(LIBRARY.article(key, FACTS, None).links) <= known, key

    @pytest.mark.parametrize(
        "width", [76, pytest.param(40, marks=pytest.mark.long), pytest.param(110, marks=pytest.mark.long)]
    )
    def test_no_line_is_wider_than_asked(self, width: int) -> None:
        for key in KEYS:
            placed, _ = lay_out(LIBRARY.article(key, FACTS, None).blocks, width)
            for part in placed:
                for line in part.lines:
                    assert sum(len(piece.text) for piece in line) <= width, key

    def test_every_article_reads_as_markdown(self) -> None:
        for key in KEYS:
            text = as_markdown(LIBRARY.article(key, FACTS, None), lambda name: catalog_table(name, FACTS))
            assert text.startswith("# ")
            assert "{{" not in text

    def test_links_are_numbered_in_reading_order(self) -> None:
        article = LIBRARY.article("term:kv-cache", FACTS, None)
        placed, links = lay_out(article.blocks, 60)
        seen = [piece.at for part in placed for line in part.lines for piece in line if piece.at >= 0]
        assert list(dict.fromkeys(seen)) == list(range(len(links)))
        assert links == article.links

    def test_a_name_finds_its_article(self) -> None:
        assert LIBRARY.find("KV cache") == "term:kv-cache"
        assert LIBRARY.find("worked-examples") == "page:worked-examples"
        assert LIBRARY.find("Buy, reserve or rent?") == "tree:buy-or-rent"
        with pytest.raises(ValueError, match="kv-cache"):
            LIBRARY.find("kv-cach")

    def test_own_terms_join_and_broken_ones_are_said(self, tmp_path: Path) -> None:
        path = tmp_path / "glossary.yaml"
        path.write_text("- {id: ours, name: Ours, topic: speed, short: s, definition: 'Like [[ttft]].', appears: []}")
        assert "ours" in Library.open(path).terms
        path.write_text("- {id: ours, name: Ours, topic: speed, short: s, definition: 'Like [[ttfft]].', appears: []}")
        broken = Library.open(path)
        assert "ttft" in broken.problem
        assert "ours" not in broken.terms

    @pytest.mark.long
    @given(st.text(max_size=30))
    def test_any_words_can_be_searched(self, words: str) -> None:
        for entry in LIBRARY.contents(words):
            assert entry.key.partition("#")[0] in KEYS


class TestWrapping:
    @given(st.lists(st.text(alphabet="ab ü–\n", max_size=12), max_size=8), st.integers(1, 20))
    def test_nothing_is_lost_and_nothing_is_too_wide(self, texts: list[str], width: int) -> None:
        lines = wrap([Piece(text, at=number) for number, text in enumerate(texts)], width)
        assert all(sum(len(piece.text) for piece in line) <= width for line in lines)
        kept = "".join(piece.text for line in lines for piece in line)
        assert "".join(kept.split()) == "".join("".join(texts).split())

    def test_a_link_with_letters_behind_it_stays_together(self) -> None:
        lines = wrap([Piece("the ", at=-1), Piece("scale", at=0), Piece("s of it")], 8)
        assert ["".join(piece.text for piece in line).strip() for line in lines] == ["the", "scales", "of it"]


class TestMetrics:
    def test_every_key_is_known(self) -> None:
        assert set(READERS) == set(reference.metrics())

    def test_figures_of_a_70b(self) -> None:
        # Llama 3.3 70B: 80 layers × 8 KV heads × 128 × 2 × 2 bytes; 70.55 B parameters at 16 bits.
        evaluation = evaluate(Scenario(precision="bf16", users=1, context=4096), FACTS)
        assert metric(evaluation, "kv_kb_per_token") == pytest.approx(327.68)
        assert metric(evaluation, "weights_gb") == pytest.approx(141.1, rel=0.01)
        assert metric(evaluation, "gpus_needed_on", "h200-sxm") == 2

    def test_what_has_no_answer_is_none(self) -> None:
        evaluation = evaluate(Scenario(model="no-such-model"), FACTS)
        assert metric(evaluation, "weights_gb") is None

    def test_an_unknown_key_is_an_error(self) -> None:
        with pytest.raises(KeyError):
            metric(evaluate(Scenario(), FACTS), "nonsense")

    @pytest.mark.long
    def test_cheap_examples_agree_with_their_sources(self) -> None:
        # Weights by the rule of thumb: the reference's table to its own rounding.
        page = reference.page("worked-examples")
        evaluation = evaluate(Scenario(), FACTS)
        article = LIBRARY.article("page:worked-examples", FACTS, evaluation)
        assert any(example.id == "classic-weights" for section in page.sections for example in section.examples)
        text = plain(article.blocks, 90)
        row = next(line for line in text.splitlines() if line.startswith("70B at FP16"))
        assert "140 GB" in row
        assert "✓" in row


class TestTables:
    @pytest.mark.parametrize("name", table_names())
    def test_rows_fill_their_columns_and_are_distinct(self, name: str) -> None:
        table = catalog_table(name, FACTS)
        assert table.rows
        assert all(len(row.cells) == len(table.columns) for row in table.rows)
        assert len({row.id for row in table.rows}) == len(table.rows)

    def test_every_table_of_a_page_exists(self) -> None:
        asked = {section.table_from for page in reference.pages() for section in page.sections} - {None}
        assert asked == set(table_names())

    @given(st.text(max_size=10))
    def test_any_words_can_filter(self, words: str) -> None:
        table = catalog_table("classic-sizes", FACTS)
        assert set(table.matching(words)) <= set(table.rows)

    def test_csv_reads_back_and_starts_no_formula(self) -> None:
        text = as_csv(("a", "b"), [("=1+1", "−5"), ('x "y", z', "-5"), ("@cmd", "+sum")])
        rows = list(csv.reader(io.StringIO(text)))
        assert rows == [["a", "b"], ["'=1+1", "−5"], ['x "y", z', "-5"], ["'@cmd", "'+sum"]]


class TestTerms:
    def test_every_term_of_an_input_or_metric_exists(self) -> None:
        used = {spec.term for spec in INPUTS.values() if spec.term} | {
            entry.term for entry in reference.metrics().values()
        }
        assert used <= set(LIBRARY.terms)

    def test_every_term_of_a_screen_exists(self) -> None:
        for entry in SECTIONS:
            kind = getattr(import_module(f"infratui.app.screens.{entry.id}.screen"), f"{entry.id.capitalize()}Screen")
            assert set(kind.TERMS) <= set(LIBRARY.terms), entry.id

    def test_every_term_of_a_formula_exists(self) -> None:
        source = "".join(path.read_text("utf-8") for path in (Path(infratui.__file__).parent / "engine").rglob("*.py"))
        assert set(re.findall(r'\bterm="([^"]+)"', source)) <= set(LIBRARY.terms)

    def test_runs_without_a_link_lead_nowhere(self) -> None:
        assert Run("plain").link == ""
