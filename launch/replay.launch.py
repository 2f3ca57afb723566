"""Launch the relocalizer and the playback of a bag.

Example: ros2 launch dsm_ros replay.launch.py bag:=recording map:=/maps/office image:=/camera/image_raw
    camera_info:=/camera/camera_info base_frame:=base_link
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, IncludeLaunchDescription, RegisterEventHandler
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import EnvironmentVariable, LaunchConfiguration
from launch_ros.event_handlers import OnStateTransition

RELOCALIZER = Path(__file__).with_name("relocalizer.launch.py")
PROFILES = Path(__file__).resolve().parents[1] / "config" / "fastdds.xml"  # room for whole images in shared memory
PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")  # Kilted and later; before
ARGUMENTS = {
    "bag": (None, "Bag (rosbag2) to play. Required."),
    "rate": ("1.0", "Playback speed, relative to the recording."),
}


def generate_launch_description() -> LaunchDescription:
    """Start the relocalizer on the bag's clock, then play the bag. All arguments of relocalizer.launch.py apply."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    relocalizer = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(RELOCALIZER)), launch_arguments={"use_sim_time": "true"}.items()
    )
    bag, rate = LaunchConfiguration("bag"), LaunchConfiguration("rate")
    profiles = {name: EnvironmentVariable(name, default_value=str(PROFILES)) for name in PROFILE_VARIABLES}
    command = ["ros2", "bag", "play", bag, "--clock", "--rate", rate]
    play = ExecuteProcess(cmd=command, additional_env=profiles, output="screen")
    # The node needs seconds to load network and map; a bag that plays meanwhile is lost.
    play_when_active = RegisterEventHandler(OnStateTransition(goal_state="active", entities=[play], handle_once=True))
    return LaunchDescription([*arguments, play_when_active, relocalizer])
