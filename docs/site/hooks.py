# SPDX-License-Identifier: MIT
# For mkdocs: titles of our documents, and diagrams as tables, which need no script and can be searched.

import re


def on_page_read_source(page, config):
    """mkdocs takes the title from the first line; ours are comments."""
    with open(page.file.abs_src_path, encoding="utf-8") as file:
        return re.sub(r"\A(<!--.*?-->\s*)+", "", file.read())


def cell(text):
    return text.strip().replace("[*]", "(begin or end)").replace("|", "\\|")


def table(diagram):
    """One row an arrow: `A->>B: text` of sequences, `A --> B: text` of states."""
    rows = ["| | from | to | |", "|---|---|---|---|"]
    for line in diagram.group(1).splitlines()[1:]:
        arrow = re.fullmatch(r"\s*(.+?)\s*-+>+\s*(.+?)(?::\s*(.*))?", line)
        if not arrow:
            raise ValueError(f"an arrow that no table has: {line}")
        start, end, text = (cell(part or "") for part in arrow.groups())
        rows.append(f"| {len(rows) - 1} | {start} | {end} | {text} |")
    return "\n".join(rows)


def on_page_markdown(markdown, page, config, files):
    return re.sub(r"^```mermaid\n(.*?)^```$", table, markdown, flags=re.S | re.M)
