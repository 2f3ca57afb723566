"""A matcher that records the previous frames it was given."""

from dsm_ros.localization.matching import Matcher


class Recorder(Matcher):
    """Matches as ever; ``previous`` lists the previous frame of each match, None where there was none."""

    def __init__(self, scene_map, network):
        super().__init__(scene_map, network)
        self.scene_map, self.previous = scene_map, []

    def guided_match(self, image, previous, config, watch):
        self.previous.append(previous)
        return super().guided_match(image, previous, config, watch)
