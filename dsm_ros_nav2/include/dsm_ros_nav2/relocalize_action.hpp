#pragma once

#include <string>

#include "behaviortree_cpp/bt_factory.h"
#include "dsm_ros/action/relocalize.hpp"
#include "nav2_behavior_tree/bt_action_node.hpp"

namespace dsm_ros_nav2
{

/// Behavior tree node that asks the relocalizer for a pose, and succeeds only with a pose.
class RelocalizeAction : public nav2_behavior_tree::BtActionNode<dsm_ros::action::Relocalize>
{
public:
  RelocalizeAction(
    const std::string & xml_tag_name, const std::string & action_name,
    const BT::NodeConfiguration & conf);

  static BT::PortsList providedPorts();

  void on_tick() override;
  BT::NodeStatus on_success() override;
  BT::NodeStatus on_aborted() override;
  BT::NodeStatus on_cancelled() override;

private:
  void take_hint();
};

}  // namespace dsm_ros_nav2
