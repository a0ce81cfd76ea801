"""The outcome of a verification as text and as a page that loads nothing."""

from __future__ import annotations

from jinja2 import Environment

from harness.data.verify.dataset import Verification

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
{{ v.counts.error }} errors, {{ v.counts.warning }} warnings, {{ v.counts.note }} notes.</p>
{% if v.synthetic %}<p class="synthetic">
Synthetic data: numbers of the paper are shown for orientation only.</p>{% endif %}
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
    return Environment(autoescape=True).from_string(PAGE).render(v=verification, titles=TITLES) + "\n"


def findings_text(verification: Verification) -> str:
    """One line per finding, errors first, at most ``PER_CHECK`` of each check, and the count at the end."""
    lines: list[str] = []
    shown: dict[tuple[str, str], int] = {}
    for f in verification.findings:
        kind = (f.severity, f.check)
        shown[kind] = shown.get(kind, 0) + 1
        if shown[kind] <= PER_CHECK:
            clip = f"{f.clip_id}: " if f.clip_id else ""
            lines.append(f"{f.severity}: {f.check}: {clip}{f.message}" + (f" -> {f.remedy}" if f.remedy else ""))
    for (severity, check), count in shown.items():
        if count > PER_CHECK:
            lines.append(f"{severity}: {check}: {count - PER_CHECK} more; --json and --html have them all")
    synthetic = " (synthetic)" if verification.synthetic else ""
    counts = ", ".join(f"{count} {severity}s" for severity, count in verification.counts.items())
    files = f"{verification.clips} {verification.samples}, {verification.decoded} of {verification.files} files decoded"
    lines.append(f"{verification.name}{synthetic}: {files}, {counts}")
    return "\n".join(lines)
