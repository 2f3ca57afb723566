"""The real node with a localizer that knows the answers: the image's red value says what to do."""

import time
from dataclasses import replace

import numpy as np

from dsm_ros.errors import MapError
from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.result import Localized, NotLocalized, Reason, SceneCoordinates, StageTimes, Support
from dsm_ros.node.maps.loading import Loaded
from dsm_ros.node.program import main

LOST, BROKEN, SLOW, DELETED, BUSY = 200, 210, 220, 230, 240


class FakeLocalizer:
    config = None

    def use_config(self, config):
        self.config = config

    def reset(self):
        pass

    def encode_ahead(self, views):
        return views

    def localize(self, views, stamp_ns, prior=None):
        """Return a pose whose x is the first image's red value and the cameras' x on the rig.

        z is the stamp's last nanoseconds as micrometres: any two stamps are poses that motion does not contradict.
        """
        camera, red = views[0].camera, int(views[0].image_HW3[0, 0, 0])
        x_m = red / 100 + sum(view.rig_T_camera[0, 3] for view in views)
        if red == LOST:
            return NotLocalized(Reason.TOO_FEW_INLIERS, "7 of 1000 cells agree with the pose, min_inliers is 100")
        if red == BROKEN:
            raise RuntimeError("broken on purpose")
        if red == DELETED:
            raise MapError("the map at fake is gone; build it again")
        if red in (SLOW, BUSY):
            time.sleep(0.5 if red == SLOW else 5.0)
        cells = SceneCoordinates(
            np.ones((2, 3, 3)),
            np.ones((2, 3), np.float32),
            np.zeros((2, 3, 2), np.float32),
            np.zeros((2, 3, 3), np.uint8),
        )
        pose = make_pose(np.eye(3), [x_m, camera.fx, stamp_ns % 1000 / 1e6])
        return Localized(
            pose, np.eye(6) * 0.01, Support(500 * len(views), 0.5, 0.5, (11, 7)), cells, StageTimes(total=1.0)
        )


def load(parameters, map_uri, in_use):
    if map_uri == "slow":
        time.sleep(3.0)
    if map_uri == "broken":
        raise MapError("there is no map at broken")
    if map_uri == "undisplayable":
        return replace(load(parameters, "fake", in_use), points_N3=None)
    keyframes_N44 = np.stack([np.eye(4)] * (3 if map_uri == "other" else 2))
    frame = "other_map" if map_uri == "other" else "map"
    points_N3, colors_N3 = np.zeros((4, 3)), np.zeros((4, 3), np.uint8)
    return Loaded(FakeLocalizer(), None, frame, points_N3, colors_N3, keyframes_N44, lambda ids: [], lambda: None)


if __name__ == "__main__":
    main(load)
