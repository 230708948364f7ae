"""The report for people: plain tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.evaluation.agreement import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markbook.evaluation.agreement import Figure
    from markbook.evaluation.report import Agreement, Calibration, EvaluationReport
    from markbook.graders.reliability import Bin

__all__ = ["as_text"]

_NONE = "-"
_BAR = 20  # characters of a bar that says 1


def as_text(report: EvaluationReport) -> str:
    """Return the report as lines of at most some hundred characters."""
    blocks = [_head(report), _agreement(report, _main(report), "agreement with the marks")]
    every = [each for each in report.agreements if each.over == "all" and each.k]
    if every:
        blocks.append(_agreement(report, every, "over all answers, those marked by a person right"))
    sure = [each for each in report.agreements if each.over == "not refused"]
    if sure:
        blocks.append(_agreement(report, sure, "without the questions that are refused"))
    blocks += [_calibration(report), _curve(report), _savings(report), _remarks(report)]
    return "\n\n".join(block for block in blocks if block)


def _head(report: EvaluationReport) -> str:
    return (
        f"evaluated   {report.file}: {report.answers:,} answers of {report.questions} questions\n"
        f"            {report.protocol}, {report.folds} folds over {report.group}, seed"
        f" {report.seed}, {report.model}\n"
        "            on a scale of 0 to 5, with 95 % intervals by bootstrap over questions"
    )


def _main(report: EvaluationReport) -> list[Agreement]:
    return [
        each
        for each in report.agreements
        if each.over == "unmarked" or each.part in ("constant", "constant told", "people")
    ]


def _title(each: Agreement) -> str:
    named = {"people": "two people", "constant told": "constant, known", "constant": "constant"}
    return named.get(each.part) or _known(each)


def _agreement(report: EvaluationReport, parts: Sequence[Agreement], title: str) -> str:
    rows = [("", *(_title(each) for each in parts))]
    rows.append(("answers", *(f"{each.answers:,}" for each in parts)))
    for name, label in MEASURES.items():
        rows.append((label, *(_figure(each.figures[name]) for each in parts)))
    if any(each.points_rmse is not None for each in parts):
        rows.append(("RMSE in points", *(_number(each.points_rmse) for each in parts)))
    return f"{title}\n{_table(rows)}"


def _figure(figure: Figure) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return _number(figure.value)
    return f"{_short(figure.value)} [{_short(figure.low)} {_short(figure.high)}]"


def _short(value: float) -> str:
    """Return 0.5 as .50: eight columns of intervals have to fit."""
    text = f"{value:.2f}".replace("-0.00", "0.00")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _number(value: float | None, digits: int = 2) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return _NONE if value is None else f"{value:.0%}".replace("%", " %")


def _calibration(report: EvaluationReport) -> str:
    if not report.calibrations:
        return ""
    rows = [("", "answers", "error (ECE)", "at 0.9 or more", "of those within ½")]
    for each in report.calibrations:
        found = each.reliability
        share = _percent(found.sure / found.answers) if found.answers else _NONE
        figures = (f"{found.answers:,}", _number(found.ece, 3), share, _percent(found.sure_right))
        rows.append((_known(each), *figures))
    first = report.calibrations[0]
    drawn = "right =, promised |".ljust(_BAR + 1)
    head = (f"confidence, {_known(first)}", "answers", "mean confidence", "within ½", drawn)
    bins: list[tuple[str, ...]] = [head]
    for one in first.reliability.bins:
        edges = f"{one.low:.1f} to {one.high:.1f}"
        shares = (f"{one.confidence:.2f}", f"{one.right:.2f}")
        bins.append((edges, f"{one.answers:,}", *shares, _bar(one)))
    title = "calibration: confidence that a score is within ½, on answers nobody marked"
    return f"{title}\n{_table(rows)}\n\n{_table(bins)}"


def _bar(one: Bin) -> str:
    """Return a bar as long as the share that was right, with a stroke at what was promised."""
    bar = list(("=" * round(one.right * _BAR)).ljust(_BAR + 1))
    bar[round(one.confidence * _BAR)] = "|"
    return "".join(bar)


def _known(each: Agreement | Calibration) -> str:
    """Return how many marks of a question the model had."""
    if each.part == "told":
        return "known questions"
    return f"{each.k} marks each" if each.k else "unseen questions"


def _curve(report: EvaluationReport) -> str:
    if not report.curve:
        return ""
    ks = list(dict.fromkeys(point.k for point in report.curve))
    at = {(point.k, point.share): point for point in report.curve}
    learning = [k for k in ks if any(p.learning is not None for p in report.curve if p.k == k)]
    titles = [*(f"{k} by design" for k in ks), *(f"{k}, learning on" for k in learning)]
    rows = [("read by a person", *titles)]
    for share in dict.fromkeys(point.share for point in report.curve):
        cells = [_percent(at[k, share].frozen) for k in ks]
        cells += [_percent(at[k, share].learning) for k in learning]
        rows.append((_percent(share), *cells))
    title = "all answers within ½, when a person marks some by design, then the least certain"
    return f"{title}\n{_table(rows)}"


def _savings(report: EvaluationReport) -> str:
    if not report.savings:
        return ""
    heads = ("one mark for a group", "saved", "RMSE of copies", "within ½", "RMSE of all", "filled")
    rows = [heads]
    for each in report.savings:
        figures = (_number(each.rmse), _percent(each.within_half), _number(each.rmse_of_all))
        rows.append((each.grouping, _percent(each.share), *figures, _number(each.filled_rmse)))
    return "groups of answers that say the same\n" + _table(rows)


def _remarks(report: EvaluationReport) -> str:
    lines = [f"refused     {name}: {reason}" for name, reason in report.refused.items()]
    lines += [f"note        {note}" for note in report.notes]
    return "\n".join(lines)


def _table(rows: Iterable[Sequence[str]]) -> str:
    table = [tuple(row) for row in rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    lines = []
    for row in table:
        first, *others = row
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append(f"  {first.ljust(widths[0])}  {'  '.join(cells)}".rstrip())
    return "\n".join(lines)
