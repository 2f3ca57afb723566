"""The services ``~/load_map`` and ``~/reset``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dsm_ros.node.interface.background import Background
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.interface.topics import LOAD_MAP, RESET


class MapServices:
    """Serves ~/load_map and ~/reset until the scope is closed.

    load_map: replaces the map by the map at a URI, and returns the number of keyframes. reset: forgets previous images.
    """

    def __init__(self, scope: NodeScope, load_map: Callable[[str], int], reset: Callable[[], None]):
        self._logger, self._replace_map, self._forget_images = scope.node.get_logger(), load_map, reset
        self._background = Background(scope)  # a map takes seconds
        scope.service(LOAD_MAP, self._load_map)
        scope.service(RESET, self._reset)

    async def _load_map(self, request: Any, response: Any) -> Any:
        try:
            response.keyframes = await self._background.run(partial(self._replace_map, request.map))
        except Exception as error:  # the old map stays in use, and the client gets the reason
            response.success, response.message = False, str(error)
            self._logger.error(f"load_map: {error}")
            return response
        response.success, response.message = True, f"{request.map} is loaded"
        self._logger.info(f"map {request.map} replaces the previous map")
        return response

    def _reset(self, request: Any, response: Any) -> Any:
        self._forget_images()
        response.success, response.message = True, "searching the whole map"
        return response
