"""Makes the results that docs/files/README.md names, and runs every example of the pages there on them.

The commands are the page's own `sh` block; an example is a `pycon` block, and those of one page share their names. What a
block prints must be what stands there. Links between pages must lead somewhere.
"""
import doctest
import pathlib
import re
import subprocess
import sys


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def broken_links(root):
    """Relative links of all pages that lead nowhere, as page and link."""
    pages = [root / "README.md", *root.glob(".github/*.md"), *root.glob("docs/**/*.md"), *root.glob("Circuits/**/*.md")]
    found = []
    for page in pages:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:|#", link) and not (page.parent / link.split("#")[0]).exists():
                found.append(f"{page.relative_to(root)}: {link} leads nowhere")
    return found


def main():
    docs = pathlib.Path(sys.argv[1]).resolve()
    links = broken_links(docs.parent)
    for line in links:
        print(line)
    for line in blocks((docs / "files" / "README.md").read_text(), "sh")[0].splitlines():
        words = line.split()
        report = [] if words[1] in ("record", "merge", "quantise") else ["--no-report"]
        subprocess.run([*words, *report], check=True, stdout=subprocess.DEVNULL)
    failed = tried = 0
    for page in sorted(docs.rglob("*.md")):
        examples = blocks(page.read_text(), "pycon")
        if not examples:
            continue
        test = doctest.DocTestParser().get_doctest("\n".join(examples), {}, page.name, str(page), 0)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
        runner.run(test)
        failed += runner.failures
        tried += runner.tries
    print(f"docs/: {tried} examples, {failed} failed")
    return 1 if failed or links or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
