#include "dsm_ros_nav2/relocalize_action.hpp"

#include <chrono>
#include <memory>
#include <string>

#include "geometry_msgs/msg/pose_stamped.hpp"
#include "geometry_msgs/msg/pose_with_covariance_stamped.hpp"

namespace dsm_ros_nav2
{

using geometry_msgs::msg::PoseStamped;
using geometry_msgs::msg::PoseWithCovarianceStamped;

RelocalizeAction::RelocalizeAction(
  const std::string & xml_tag_name, const std::string & action_name,
  const BT::NodeConfiguration & conf)
: BtActionNode(xml_tag_name, action_name, conf) {}

BT::PortsList RelocalizeAction::providedPorts()
{
  auto ports = providedBasicPorts(
    {
      BT::InputPort<double>("timeout_s", 5.0, "Time after which the search ends (s)"),
      BT::InputPort<PoseStamped>("hint", "Approximate pose of the base, in any TF frame"),
      BT::InputPort<bool>("is_recovery", true, "Whether to count the search as a recovery"),
      BT::OutputPort<PoseWithCovarianceStamped>("pose", "Pose of the base in the map"),
      BT::OutputPort<std::string>(
        "reason", "Reason why there is no pose; empty with a pose, not_accepted without a result"),
    });
  // By default Nav2 waits 20 ms for a server, but a busy relocalizer accepts a goal later.
  ports["server_timeout"] = BT::InputPort<std::chrono::milliseconds>(
    "server_timeout", std::chrono::milliseconds(1000), "Time to wait for the server (ms)").second;
  return ports;
}

void RelocalizeAction::on_tick()
{
  double timeout_s = 5.0;
  bool is_recovery = true;
  getInput("timeout_s", timeout_s);
  getInput("is_recovery", is_recovery);
  goal_ = dsm_ros::action::Relocalize::Goal();  // without the hint of the last search
  goal_.timeout_s = static_cast<float>(timeout_s);
  if (config().input_ports.count("hint")) {
    take_hint();
  }
  if (is_recovery) {
    increment_recovery_count();
  }
  // Nav2 calls no function when the goal is rejected, or not answered within server_timeout.
  setOutput("reason", std::string("not_accepted"));
}

void RelocalizeAction::take_hint()
{
  const auto hint = getInput<PoseStamped>("hint");
  if (!hint) {
    RCLCPP_WARN(node_->get_logger(), "Searching without the hint: %s", hint.error().c_str());
    return;
  }
  goal_.use_hint = true;
  goal_.hint.header = hint->header;
  goal_.hint.pose.pose = hint->pose;
}

BT::NodeStatus RelocalizeAction::on_success()
{
  setOutput("pose", result_.result->pose);
  setOutput("reason", std::string());
  return BT::NodeStatus::SUCCESS;
}

BT::NodeStatus RelocalizeAction::on_aborted()
{
  const char * detail = result_.result->detail.c_str();
  RCLCPP_WARN(node_->get_logger(), "No pose from %s: %s", action_name_.c_str(), detail);
  setOutput("reason", result_.result->reason);
  return BT::NodeStatus::FAILURE;
}

BT::NodeStatus RelocalizeAction::on_cancelled()
{
  setOutput("reason", std::string("canceled"));
  return BT::NodeStatus::FAILURE;
}

}  // namespace dsm_ros_nav2

BT_REGISTER_NODES(factory)
{
  factory.registerBuilder<dsm_ros_nav2::RelocalizeAction>(
    "Relocalize", [](const std::string & tag, const BT::NodeConfiguration & conf) {
      return std::make_unique<dsm_ros_nav2::RelocalizeAction>(tag, "relocalizer/relocalize", conf);
    });
}
