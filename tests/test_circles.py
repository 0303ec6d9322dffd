"""What import-linter's layers leave open: within one layer, too, no module imports another in a circle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in turn, by what each imports; none if there is an order."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_another_in_a_circle() -> None:
    """Imports inside functions count, and those for types alone: they are what a circle is usually hidden behind."""
    graph = grimp.build_graph("gitmem", cache_dir=None)
    modules = graph.modules - {"gitmem"}  # which gives the promised names, and is asked for its version
    imports = {module: graph.find_modules_directly_imported_by(module) - {"gitmem"} for module in modules}
    assert len(imports) > 300
    assert circle(imports) == []


@pytest.mark.parametrize(("imports", "found"), [({"a": {"b"}, "b": {"c"}}, 0), ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, 4)])
def test_a_circle_is_found(imports: dict[str, set[str]], found: int) -> None:
    """Its first module is named again as its last."""
    assert len(circle(imports)) == found
