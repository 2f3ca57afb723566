# docker build -t dsm_ros .
# docker run --rm --network host -v /maps:/maps dsm_ros ros2 launch dsm_ros relocalizer.launch.py map:=/maps/office ...
FROM ros:jazzy AS dependencies
SHELL ["/bin/bash", "-c"]
WORKDIR /ws
COPY package.xml src/dsm_ros/
RUN apt-get update && rosdep update --rosdistro jazzy \
    && rosdep install --from-paths src --ignore-src -y \
    && apt-get install -y --no-install-recommends python3-dev \
    && rm -rf /var/lib/apt/lists/*

FROM dependencies
COPY . src/dsm_ros/
RUN source /opt/ros/jazzy/setup.bash \
    && colcon build --packages-select dsm_ros \
    && source install/setup.bash \
    && ros2 run dsm_ros install_libraries --no-cache-dir
ENTRYPOINT ["/bin/bash", "-c", "source /ws/install/setup.bash && exec \"$@\"", "--"]
CMD ["ros2", "launch", "dsm_ros", "relocalizer.launch.py", "--show-args"]
