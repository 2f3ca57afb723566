"""The service ``~/load_map``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dsm_ros.errors import DsmError
from dsm_ros.node.interface.background import Background
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.interface.topics import LOAD_MAP

ABANDONED = "the map is not loaded, because the node was cleaned up or shut down"


class LoadMapService:
    """Serves ~/load_map until the scope is closed.

    The service exists as long as the node, so that clients get their answers even after the node is cleaned up.
    loader: returns the function of a configured node that replaces the map by the map at a URI and returns the number
    of keyframes; raises DsmError while the node is not configured.
    """

    def __init__(self, scope: NodeScope, loader: Callable[[], Callable[[str], int]]):
        self._logger, self._loader = scope.node.get_logger(), loader
        self._background = Background(scope)  # a map takes seconds
        scope.service(LOAD_MAP, self._load_map)

    def abandon(self) -> bool:
        """Answer all requests now, without a new map; return whether there was a request."""
        return self._background.abandon(DsmError(ABANDONED))

    async def _load_map(self, request: Any, response: Any) -> Any:
        try:
            response.keyframes = await self._background.run(partial(self._loader(), request.map))
        except Exception as error:  # the old map stays in use, and the client gets the reason
            response.success, response.message = False, str(error)
            self._logger.error(f"load_map: {error}")
            return response
        response.success, response.message = True, f"{request.map} is loaded"
        self._logger.info(f"map {request.map} replaces the previous map")
        return response
