"""A matcher that records the previous frames it was given."""

from dsm_ros.localization.matching import Matcher


class Recorder(Matcher):
    """Matches as ever; ``previous`` lists the previous frame of each match, None where there was none."""

    def __init__(self, network):
        super().__init__(network)
        self.previous = []

    def guided_match(self, image, map_T_camera, keyframes, previous):
        self.previous.append(previous)
        return super().guided_match(image, map_T_camera, keyframes, previous)
