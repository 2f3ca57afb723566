# docker build -t dsm_ros .
# docker run --rm --network host -v /maps:/maps dsm_ros ros2 launch dsm_ros relocalizer.launch.py map:=/maps/office \
#     base_frame:=base_link ...
FROM ros:jazzy AS dependencies
SHELL ["/bin/bash", "-c"]
WORKDIR /ws
COPY package.xml src/dsm_ros/
# hadolint ignore=DL3008
RUN apt-get update && rosdep update --rosdistro jazzy \
    && DEBIAN_FRONTEND=noninteractive rosdep install --from-paths src --ignore-src -y \
    && apt-get install -y --no-install-recommends python3-dev \
    && rm -rf /var/lib/apt/lists/*

FROM dependencies
# Options for pip, such as the index of a PyTorch without CUDA
ARG PIP_OPTIONS=""
COPY . src/dsm_ros/
RUN . /opt/ros/jazzy/setup.bash \
    && colcon build --packages-select dsm_ros \
    && . install/setup.bash \
    && ros2 run dsm_ros install_libraries --no-cache-dir ${PIP_OPTIONS}
# Fast DDS takes a container on the host's network for a process of the host, but the two share no memory.
ENV FASTDDS_BUILTIN_TRANSPORTS=UDPv4
ENTRYPOINT ["/bin/bash", "-c", "source /ws/install/setup.bash && exec \"$@\"", "--"]
CMD ["ros2", "launch", "dsm_ros", "relocalizer.launch.py", "--show-args"]
