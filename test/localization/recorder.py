"""A matcher that records the expected poses and the previous frames that it gets."""

from dsm_ros.localization.matching import Matcher


class Recorder(Matcher):
    """Matches as ever, and lists the expected pose of each first match and the previous frame of each guided match."""

    def __init__(self, network):
        super().__init__(network)
        self.expected = []
        self.previous = []

    def first_match(self, view, query, area, keyframes):
        self.expected.append(area.map_T_expected)
        return super().first_match(view, query, area, keyframes)

    def guided_match(self, image, map_T_camera, keyframes, previous):
        self.previous.append(previous)
        return super().guided_match(image, map_T_camera, keyframes, previous)
