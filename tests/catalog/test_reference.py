"""The reference as data: terms, pages, trees and search hold together and refuse what is broken."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import pytest
from click import Context
from hypothesis import given
from hypothesis import strategies as st

from infratui.catalog import decision, markup, reference, yaml_io
from infratui.catalog.errors import CatalogError
from infratui.catalog.load import Catalog, default_catalog
from infratui.catalog.reference_figures import filled
from infratui.catalog.reference_schema import Example, PageSection, ReferencePage, Term, Tree
from infratui.catalog.reference_search import search
from infratui.cli.group import cli
from infratui.engine.evaluate import evaluate
from infratui.report.article import Wording, paragraphs
from infratui.report.layout import plain
from infratui.report.sections import outcomes
from infratui.scenario import INPUTS, Scenario, parse

TERMS = reference.glossary()
PAGES = reference.pages()
SECTIONS = [(page, section) for page in PAGES for section in page.sections]
EXAMPLES = [example for _, section in SECTIONS for example in section.examples]
PAGE_TOPICS = {
    "numeric-formats", "quantization", "accelerators", "systems", "interconnects", "parallelism", "frameworks",
    "batching", "kv-cache", "prefill-decode", "metrics", "model-files", "openness", "buying-renting", "cost-levers",
    "training-sharding", "worked-examples",
}  # fmt: skip


def _texts(section: PageSection) -> list[str]:
    cells = [cell for row in section.table.rows for cell in (*row, *section.table.columns)] if section.table else []
    return [section.body, *cells]


class TestTerms:
    def test_there_are_at_least_ninety(self) -> None:
        assert len(TERMS) >= 90

    @pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
    def test_definition_has_two_sentences(self, term: Term) -> None:
        assert len(re.findall(r"[.!?](?=\s|$)", term.definition)) == 2

    @pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
    def test_hint_fits_one_line(self, term: Term) -> None:
        assert len(term.short) <= 100
        assert not re.search(r"[\[\]{}]", term.short)

    @pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
    def test_links_lead_somewhere_else(self, term: Term) -> None:
        targets = {*markup.links(term.definition), *term.related}
        assert targets <= set(TERMS)
        assert term.id not in targets

    def test_every_term_is_reached_from_another_term_or_a_page(self) -> None:
        linked = {link for term in TERMS.values() for link in (*markup.links(term.definition), *term.related)}
        linked |= {link for _, section in SECTIONS for text in _texts(section) for link in markup.links(text)}
        assert set(TERMS) <= linked

    def test_names_and_aliases_are_unambiguous(self) -> None:
        seen: dict[str, str] = {}
        for term in TERMS.values():
            for name in {term.name.casefold(), *(alias.casefold() for alias in term.aliases)}:
                assert seen.setdefault(name, term.id) == term.id, f"{name} names two terms"

    def test_every_input_of_a_screen_has_its_term(self) -> None:
        used = {spec.term for spec in INPUTS.values() if spec.term}
        assert used <= set(TERMS)

    def test_a_term_is_found_by_id_name_or_alias(self) -> None:
        assert reference.term("kv-cache") is reference.term("KV cache") is reference.term("key-value cache")

    def test_an_unknown_term_names_the_nearest(self) -> None:
        with pytest.raises(CatalogError, match="did you mean 'kv-cache'"):
            reference.term("kv-cach")


class TestPages:
    def test_every_topic_has_its_page(self) -> None:
        assert {page.id for page in PAGES} >= PAGE_TOPICS

    def test_ids_and_places_are_distinct(self) -> None:
        assert len({page.id for page in PAGES}) == len({page.order for page in PAGES}) == len(PAGES)

    @pytest.mark.parametrize(("page", "section"), SECTIONS, ids=[f"{p.id}: {s.title}" for p, s in SECTIONS])
    def test_a_section_has_a_source_or_a_computation(self, page: ReferencePage, section: PageSection) -> None:
        assert section.source or section.table_from or section.examples

    @pytest.mark.parametrize(("page", "section"), SECTIONS, ids=[f"{p.id}: {s.title}" for p, s in SECTIONS])
    def test_links_lead_to_terms(self, page: ReferencePage, section: PageSection) -> None:
        for text in _texts(section):
            assert set(markup.links(text)) <= set(TERMS)

    def test_figures_are_filled_from_the_catalog(self) -> None:
        catalog = Catalog()
        for _, section in SECTIONS:
            for text in _texts(section):
                assert "{{" not in filled(text, catalog)

    def test_cache_per_token_is_the_published_one(self) -> None:
        # DeepSeek-V3: 61 layers of 512 + 64 elements at two bytes.
        assert filled("{{model.kv_bytes_per_token:deepseek-v3}}", Catalog()) == "70,272"

    def test_corrections_are_on_their_page(self) -> None:
        table = reference.page("corrected-figures").sections[0].table
        assert table is not None
        numbers = {int(row[0]) for row in table.rows}
        assert numbers >= set(range(1, 19))
        assert {claim.correction for example in EXAMPLES for claim in example.claims} - {None} <= numbers


class TestExamples:
    @pytest.mark.parametrize("example", EXAMPLES, ids=[example.id for example in EXAMPLES])
    def test_inputs_are_a_scenario(self, example: Example) -> None:
        catalog = Catalog()
        for inputs in [example.scenario, *({**example.scenario, **claim.scenario} for claim in example.claims)]:
            scenario = parse(inputs)
            catalog.model(scenario.model)
            catalog.accelerator(scenario.accelerator)
            catalog.precision(scenario.precision or "bf16")

    def test_metrics_are_known_and_units_agree(self) -> None:
        for example in EXAMPLES:
            for claim in example.claims:
                if claim.metric is not None:
                    metric = reference.metrics()[claim.metric]
                    assert claim.metric.endswith("_on") == (claim.accelerator is not None)
                    assert not metric.unit or claim.unit.startswith(metric.unit), claim.text

    def test_ids_are_distinct(self) -> None:
        assert len({example.id for example in EXAMPLES}) == len(EXAMPLES)

    @pytest.mark.parametrize(("usd_per_hour", "tokens_per_s", "printed"), [(3.0, 600, 0.83), (15.0, 400, 12.5)])
    def test_the_corrected_costs_do_not_follow_from_their_rates(
        self, usd_per_hour: float, tokens_per_s: float, printed: float
    ) -> None:
        # The lab, step 7: what correction 19 says.
        assert abs(usd_per_hour / (tokens_per_s * 3600) * 1e6 / printed - 1) > 0.15


class TestTrees:
    @pytest.mark.parametrize("tree", reference.trees().values(), ids=reference.trees())
    def test_questions_name_known_quantities(self, tree: Tree) -> None:
        catalog = Catalog()
        for question in tree.questions:
            named = {question.metric, question.threshold_metric} - {None}
            assert named <= set(reference.metrics())
            if question.accelerator:
                catalog.accelerator(question.accelerator)

    def test_metrics_name_known_terms(self) -> None:
        assert {metric.term for metric in reference.metrics().values()} <= set(TERMS)

    def test_compliance_decides_alone(self) -> None:
        walk = decision.walk(reference.tree("buy-or-rent"), lambda key, _: 1.0 if key == "compliance" else None)
        assert walk.leaf.id == "own-by-rule"
        assert walk.lit == {"must-stay", "own-by-rule"}

    def test_few_hours_of_interactive_use_are_rented_by_the_hour(self) -> None:
        values = {
            "compliance": 0, "term_years": 3, "on_demand_usd_month": 900, "committed_usd_month": 2500,
            "breakeven_month_owned": 50, "term_months": 36, "ttft_target_ms": 500,
        }  # fmt: skip
        walk = decision.walk(reference.tree("buy-or-rent"), lambda key, _: values.get(key))
        assert walk.leaf.id == "on-demand"
        # No API price was given, so that question could not be answered and the walk went on.
        assert [fork.answer for fork in walk.forks] == [False, None, False, False, True, True]

    def test_a_model_for_one_large_card_gets_one(self) -> None:
        needed = {"a10g": 8, "l40s": 4, "h100-sxm": 2, "h200-sxm": 1}
        walk = decision.walk(
            reference.tree("accelerator"), lambda key, card: needed.get(card or "") if key == "gpus_needed_on" else None
        )
        assert walk.leaf.id == "large-card"

    @given(st.dictionaries(st.sampled_from(sorted(reference.metrics())), st.floats(-1e12, 1e12)))
    def test_any_values_end_in_a_leaf(self, values: dict[str, float]) -> None:
        for tree in reference.trees().values():
            walk = decision.walk(tree, lambda key, _: values.get(key))
            assert walk.leaf in tree.leaves


class TestSearch:
    def test_the_term_itself_comes_first(self) -> None:
        assert search("kv cache")[0].id == "kv-cache"
        assert search("MLA")[0].id == "mla"

    def test_small_slips_are_forgiven(self) -> None:
        assert search("tensor paralelism")[0].id == "tensor-parallelism"
        assert search("nvlnk")[0].id == "nvlink"

    def test_words_may_stand_apart(self) -> None:
        assert "prefix-caching" in [hit.id for hit in search("beginning computed once")]

    def test_sections_of_pages_are_found(self) -> None:
        assert any(hit.kind == "section" and hit.id == "frameworks" for hit in search("ollama"))

    @pytest.mark.parametrize("query", ["[bold]", ".*", "(", "[[", "{{x}}", "\\", "$^", "\x00\x1b[31m", "%s", "ﬁ"])
    def test_markup_and_patterns_are_plain_text(self, query: str) -> None:
        assert all(hit.id for hit in search(query))

    def test_a_pattern_matches_nothing(self) -> None:
        assert search(".*") == search("[bold]") == []

    def test_dollars_are_found_as_written(self) -> None:
        assert search("$/1M")[0].id == "per-token-price"

    def test_nothing_typed_lists_terms_by_name(self) -> None:
        names = [hit.title.casefold().replace("-", " ") for hit in search("  ", limit=500)]
        assert len(names) == len(TERMS)
        assert names == sorted(names)

    @given(st.text(max_size=200))
    def test_any_text_is_answered_in_order(self, query: str) -> None:
        scores = [hit.score for hit in search(query)]
        assert scores == sorted(scores, reverse=True)


class TestOwnTerms:
    def _file(self, folder: Path, text: str) -> Path:
        path = folder / "glossary.yaml"
        path.write_text(text, "utf-8")
        return path

    def test_own_terms_add_and_replace(self, tmp_path: Path) -> None:
        path = self._file(
            tmp_path,
            "- {id: goodput, name: Goodput, topic: speed, short: Ours, definition: One. Two., appears: [cost]}\n"
            "- {id: our-fleet, name: Fleet, topic: money, short: Ours, definition: 'See [[goodput]].', appears: []}\n",
        )
        terms = reference.glossary(path)
        assert (terms["goodput"].short, terms["our-fleet"].origin) == ("Ours", str(path))
        assert len(terms) == len(TERMS) + 1
        assert reference.glossary()["goodput"].origin == "built-in"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("- {id: a, name: A, topic: speed, short: s, definition: 'see [[ttfft]]', appears: []}", "ttft"),
            ("- {id: a, name: A, topic: speed, short: s, definition: d, appears: [], related: [nvlnk]}", "nvlink"),
            ("- {id: a, name: A, topic: speed, shorts: s, definition: d, appears: []}", "short"),
            ("- {id: A b, name: A, topic: speed, short: s, definition: d, appears: []}", "id"),
            ("- {id: a, name: A, topic: speed, short: s, definition: d, appears: [], typical: 5 s}", "source"),
            ("- id: a\n- id", "name"),
            ("terms: 1", "list"),
            ("- &a [*a]", "anchor"),
            ("- [", "YAML"),
        ],
    )
    def test_a_broken_file_is_said_in_one_line(self, tmp_path: Path, text: str, said: str) -> None:
        path = self._file(tmp_path, text)
        with pytest.raises(CatalogError) as caught:
            reference.glossary(path)
        message = str(caught.value)
        assert said in message
        assert "\n" not in message
        assert path.name in message

    def test_a_missing_file_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match="cannot be read"):
            reference.glossary(tmp_path / "none.yaml")

    def test_an_empty_file_adds_nothing(self, tmp_path: Path) -> None:
        assert len(reference.glossary(self._file(tmp_path, ""))) == len(TERMS)


class TestMarks:
    def test_links_and_figures_are_cut_out(self) -> None:
        spans = list(markup.spans("a [[kv-cache|cache]] of {{model.layers:glm-5}} layers, [[mla]]"))
        assert [span.text for span in spans if span.figure is None] == ["a ", "cache", " of ", " layers, ", "mla"]
        assert [span.term for span in spans if span.term] == ["kv-cache", "mla"]
        assert markup.figures("{{model.layers:glm-5}}") == (markup.Figure("model", "layers", "glm-5"),)

    @pytest.mark.parametrize("text", ["{{}}", "{{model.nothing:glm-5}}", "{{prices.usd:x}}", "{{model.layers}}"])
    def test_a_figure_off_the_list_is_refused(self, text: str) -> None:
        with pytest.raises(markup.MarkError):
            markup.figures(text)

    @given(st.text())
    def test_text_without_marks_stays_as_it_is(self, text: str) -> None:
        if "[[" not in text and "{{" not in text:
            assert markup.plain(text) == text

    def test_names_can_be_shown_safely(self) -> None:
        for term in TERMS.values():
            assert yaml_io.printable(term.name) == term.name


class TestCoverage:
    def test_every_name_in_the_coverage_list_exists(self) -> None:
        text = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text("utf-8")
        known = {"page": {page.id for page in PAGES}, "term": set(TERMS), "tree": set(reference.trees())}
        named = re.findall(r"`(page|term|tree):([a-z0-9-]+)`", text)
        assert len(named) > 80
        assert [f"{kind}:{name}" for kind, name in named if name not in known[kind]] == []

    def test_every_page_and_tree_is_in_the_list(self) -> None:
        text = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text("utf-8")
        named = {name for _, name in re.findall(r"`(page|tree):([a-z0-9-]+)`", text)}
        assert {page.id for page in PAGES} - named <= {"corrected-figures"}
        assert set(reference.trees()) <= named

    def test_every_panel_input_command_and_file_in_the_list_exists(self) -> None:
        root = Path(__file__).parents[2]
        named = re.findall(r"`(panel|field|command|file):([^`]+)`", (root / "docs" / "coverage.md").read_text("utf-8"))
        assert len(named) > 25
        scenario = Scenario(growth_pct=5.0, precision="fp8")
        panels = {
            f"{found.section.id}/{block.id}"
            for found in outcomes(evaluate(scenario, default_catalog()))
            for block in (*found.page(), *found.rest())
        }
        known = {"panel": panels, "field": set(INPUTS), "command": set(cli.list_commands(Context(cli)))}
        missing = [f"{kind}:{name}" for kind, name in named if kind != "file" and name not in known[kind]]
        assert missing + [name for kind, name in named if kind == "file" and not (root / name).exists()] == []


class TestSketches:
    def test_a_sketch_keeps_its_lines(self) -> None:
        (block,) = paragraphs("| a   b\n|\n| └─▶ c", Wording({}, {}))
        assert plain([block], 40) == "  a   b\n\n  └─▶ c"
        assert plain([block], 14) == "  a   b\n\n  └─▶ c"

    def test_every_sketch_fits_the_narrowest_window(self) -> None:
        for page, section in SECTIONS:
            for line in section.body.splitlines():
                assert not line.startswith("|") or len(line) <= 78, f"{page.id}: {line}"


def test_the_losses_beside_the_labs_are_medians_of_the_published_tests() -> None:
    found: dict[tuple[str, bool], list[float]] = {}
    for row in Catalog().quality().evidence:
        if row.kv_bits not in (16, None) or not row.baseline:
            continue
        kind = (
            "INT8" if row.weight_bits == 8 and "int8" in row.scheme
            else next((name for name in ("GPTQ", "AWQ") if row.weight_bits == 4 and name in row.method), "")
        )  # fmt: skip
        change = 100 * (row.quantized / row.baseline - 1)
        if kind:
            found.setdefault((kind, row.higher_is_better), []).append(-change if row.higher_is_better else change)
    table = next(section.table for _, section in SECTIONS if section.title.startswith("The lab's promise"))
    assert table is not None
    for name, _, accuracy, perplexity in table.rows:
        for higher, said in ((True, accuracy), (False, perplexity)):
            losses = found[name.removeprefix("INT4 by "), higher]
            assert said == f"{statistics.median(losses):.1f} % of {len(losses)} tests"
