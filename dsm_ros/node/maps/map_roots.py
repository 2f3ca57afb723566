"""Folders and bucket prefixes from which ``~/load_map`` may load maps."""

from __future__ import annotations

import posixpath
from pathlib import Path

from dsm_ros.node.parameters.name_checks import split_names


def map_problem(uri: str, map_roots: str, first_map: str) -> str:
    """Return why ~/load_map may not load a map; empty if it may.

    uri: folder, or s3:// URI. map_roots: the parameter, a comma-separated list; if it is empty, the folder that
    contains first_map, which is the map of the parameters.
    """
    roots = split_names(map_roots) or ([parent(first_map)] if first_map else [])
    if not uri:
        return "the request names no map"
    if any(is_inside(uri, root) for root in roots):
        return ""
    allowed = f"only maps in {' or '.join(roots)} may be loaded" if roots else "no map may be loaded"
    return f"{uri}: {allowed}; add its folder to the parameter map_roots"


def parent(uri: str) -> str:
    """Return the folder or prefix that holds a map."""
    return posixpath.dirname(uri.rstrip("/")) if "://" in uri else str(Path(uri).resolve().parent)


def is_inside(uri: str, root: str) -> bool:
    """Return whether a map is in a folder or prefix, at any depth, after symbolic links and .. are resolved."""
    if ("://" in uri) != ("://" in root):
        return False
    if "://" in uri:
        return ".." not in uri.split("/") and uri.startswith(root.rstrip("/") + "/")
    return Path(uri).resolve().is_relative_to(Path(root).resolve())
