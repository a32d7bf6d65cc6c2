"""Medians over rounds, ratios, and the notes without which figures would mislead."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from benchmarks.report import notes, print_fanout, ratio, summarise


def run(
    cpu: float, *, held: bool = True, rps: float = 100.0, service: float = 0.95, rest: float = 0.4, other: float = 0.0
) -> Any:
    figures = {
        "held": held, "cpu_ms_per_search": cpu, "p50_ms": 400.0, "p99_ms": 1_400.0, "searches": 1_000, "failed": 1,
        "failures": {"status 503": 1}, "offers_share": 1.0, "peak_rss_mb": 60.0, "pss_mb": None,
        "cores_used": {"service": service, "upstream_and_generator": rest, "everything_else": other},
    }  # fmt: skip
    return {
        "fixed_rate": {"rps_asked": 100.0, "rps_held": rps, **figures},
        "saturation": {"in_flight": 8, "searches_per_s": 300.0, **figures, "cpu_ms_per_search": cpu / 2},
    }


def document(**variants: Any) -> dict[str, Any]:
    return {"quick": False, "skipped": {"go_fasthttp": "Go is not installed"}, "variants": variants}


def test_a_round_that_stands_out_does_not_move_the_median() -> None:
    figures = summarise([run(4.0), run(40.0), run(5.0)])
    assert figures["fixed_rate"]["cpu_ms_per_search"] == 5.0
    assert figures["saturation"]["cpu_ms_per_search"] == 2.5
    assert figures["fixed_rate"]["failed"] == 3
    assert figures["fixed_rate"]["failures"] == {"status 503": 3}
    assert figures["fixed_rate"]["pss_mb"] is None
    assert len(figures["rounds"]) == 3


def test_one_round_not_held_is_not_held() -> None:
    assert summarise([run(4.0), run(4.0, held=False), run(4.0)])["fixed_rate"]["held"] is False


def test_ratio_is_of_cpu_per_search_and_unknown_without_the_reference() -> None:
    both = document(crossover=summarise([run(3.0)]), go_nethttp=summarise([run(6.0)]))
    assert ratio(both, "crossover", "go_nethttp", "fixed_rate") == 0.5
    assert ratio(both, "crossover", "flask_requests", "fixed_rate") is None


def test_notes_say_what_was_not_held_and_what_was_not_saturated() -> None:
    said = "\n".join(
        notes(
            document(
                slow=summarise([run(90.0, rps=5.5)]),
                quick=summarise([run(1.0, service=0.5, rest=0.97)]),
                loud=summarise([run(1.0, other=0.8)]),
            )
        )
    )
    assert "slow cannot hold 100/s: measured at 5.5/s" in said
    assert "quick was not saturated" in said
    assert "provisional: other programs used up to 0.80 cores" in said


def test_a_note_says_what_a_service_takes_at_the_rate_that_it_does_not_hold() -> None:
    drowned = {**summarise([run(40.0, rps=5.0)]), "rate_not_held": {"cpu_ms_per_search": 450.0, "searches": 22}}
    assert "at the rate asked it takes 450 ms for each of the 22 that it answers" in notes(document(flask=drowned))[0]


def test_a_quiet_run_needs_no_notes() -> None:
    assert notes(document(crossover=summarise([run(4.0)]))) == []


def test_tables_show_each_variant_and_each_reason_for_skipping() -> None:
    console = Console(width=150, record=True, quiet=False, file=None, force_terminal=False)
    with console.capture() as captured:
        print_fanout(document(crossover=summarise([run(3.0)]), go_nethttp=summarise([run(6.0, rps=50.0)])), console)
    shown = captured.get()
    assert "0.50 / 0.50" in shown
    assert "50.0 !" in shown
    assert "go_fasthttp: skipped: Go is not installed" in shown
