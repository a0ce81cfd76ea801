"""The outcome of a verification as text and as a page that loads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jinja2 import Environment

from harness.data.verify.dataset import Verification
from harness.data.verify.finding import Finding
from harness.errors import count

NAMED = 3  # clips of a line
PER_CHECK = 20  # lines of one check on the terminal; JSON and page have all

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ v.name }}: verification</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem;
       color: #1c1c1c; background: #fff; }
h1 { font-size: 1.4rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; }
td { overflow-wrap: break-word; } td:nth-child(2) { white-space: nowrap; }
.synthetic { border-left: 4px solid #b36b00; padding-left: .6rem; }
@media (prefers-color-scheme: dark) { body { color: #e4e4e4; background: #181818; } th, td { border-color: #444; } }
</style>
</head>
<body>
<h1>{{ v.name }}: verification</h1>
<p>{{ "{:,}".format(v.clips) }} {{ v.samples }} in <code>{{ v.root }}</code>,
{{ "{:,}".format(v.decoded) }} of {{ "{:,}".format(v.files) }} files decoded:
{% for severity, n in v.counts.items() %}{{ count(n, severity) }}{{ ", " if not loop.last }}{% endfor %}.</p>
{% if v.synthetic %}<p class="synthetic">
Synthetic data: numbers of the paper are shown for orientation only.</p>{% endif %}
{% if v.refused %}<p>No run reads the set as it is: {{ v.refused }}.</p>{% endif %}
{% for severity, title in titles %}{% set found = v.findings | selectattr("severity", "equalto", severity) | list %}
<h2 id="{{ severity }}">{{ title }} ({{ found | length }})</h2>
{% if found %}<table>
<thead><tr><th scope="col">Clip</th><th scope="col">Check</th>
<th scope="col">Finding</th><th scope="col">Remedy</th></tr></thead>
<tbody>
{% for f in found %}<tr><td>{{ f.clip_id }}</td><td>{{ f.check }}</td>
<td>{{ f.message }}</td><td>{{ f.remedy }}</td></tr>
{% endfor %}</tbody>
</table>{% else %}<p>None.</p>{% endif %}
{% endfor %}</body>
</html>
"""
TITLES = (("error", "Errors"), ("warning", "Warnings"), ("note", "Notes"))


def findings_page(verification: Verification) -> str:
    """HTML with every finding; all text is escaped."""
    return Environment(autoescape=True).from_string(PAGE).render(v=verification, titles=TITLES, count=count) + "\n"


def findings_text(verification: Verification, quarantine: object = None) -> str:
    """One line per finding, equal ones of several clips in one, errors first, at most ``PER_CHECK`` lines of each
    check; what becomes of clips with errors, and the count at the end.

    Args:
        quarantine: the file in which the clips with errors were written; None for none.
    """
    lines: list[str] = []
    shown: dict[tuple[str, str], int] = {}
    hidden: dict[tuple[str, str], int] = {}
    for f, clips in _grouped(verification.findings):
        kind = (f.severity, f.check)
        shown[kind] = shown.get(kind, 0) + 1
        if shown[kind] <= PER_CHECK:
            of = f"{_listed(clips, verification.samples)}: " if f.clip_id else ""
            lines.append(f"{f.severity}: {f.check}: {of}{f.message}" + (f" -> {f.remedy}" if f.remedy else ""))
        else:
            hidden[kind] = hidden.get(kind, 0) + len(clips)
    for (severity, check), more in hidden.items():
        lines.append(f"{severity}: {check}: {more} more; --json and --html have them all")
    lines += _fate(verification, quarantine)
    synthetic = " (synthetic)" if verification.synthetic else ""
    counts = ", ".join(count(n, severity) for severity, n in verification.counts.items())
    files = f"{verification.clips} {verification.samples}, {verification.decoded} of {verification.files} files decoded"
    lines.append(f"{verification.name}{synthetic}: {files}, {counts}")
    return "\n".join(lines)


def _grouped(findings: Iterable[Finding]) -> list[tuple[Finding, list[str]]]:
    """Findings that say the same of several clips once, with the clips."""
    found: dict[tuple[str, str, str, str, bool], tuple[Finding, list[str]]] = {}
    for f in findings:
        key = (f.severity, f.check, f.message, f.remedy, bool(f.clip_id))
        found.setdefault(key, (f, []))[1].append(f.clip_id)
    return list(found.values())


def _listed(clips: Sequence[str], samples: str) -> str:
    """``a`` or ``40 clips (a, b, c and 37 more)``."""
    if len(clips) == 1:
        return clips[0]
    more = f" and {len(clips) - NAMED} more" if len(clips) > NAMED else ""
    return f"{len(clips)} {samples} ({', '.join(clips[:NAMED])}{more})"


def _fate(verification: Verification, quarantine: object) -> list[str]:
    """Whether the set can be read, and clips with errors are trained on; nothing where there are none."""
    if verification.refused:
        why = f"no run reads the set as it is, with --quarantine neither: {verification.refused}"
        return [f"{why}; mend it, then verify again"]
    name, sample = verification.dataset, verification.samples.removesuffix("s")
    errors = [f for f in verification.findings if f.severity == "error" and f.clip_id]
    refused = {f.clip_id for f in errors if f.unplannable}
    read = {f.clip_id for f in errors} - refused
    said = []
    if refused:
        what = "no cell that reads it" if len(refused) == 1 else "no cell that reads one"
        said.append(f"{count(len(refused), sample)} without a file that can be read: {what} can be planned")
    if read:
        other = f"{'other ' if refused else ''}{sample}"
        said.append(
            f"{count(len(read), other)} with errors: runs read {'it' if len(read) == 1 else 'them'} all the same"
        )
    if quarantine:
        end = f", unless runs are given --quarantine {name}={quarantine}, which lists what to leave out"
    else:
        end = f"; --quarantine FILE here writes what to leave out, --quarantine {name}=FILE leaves it out of runs"
    return [f"{line}{end}" for line in said]
