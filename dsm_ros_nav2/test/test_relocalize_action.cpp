#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "behaviortree_cpp/bt_factory.h"
#include "dsm_ros/action/relocalize.hpp"
#include "geometry_msgs/msg/pose_stamped.hpp"
#include "geometry_msgs/msg/pose_with_covariance_stamped.hpp"
#include "rclcpp/rclcpp.hpp"
#include "rclcpp_action/rclcpp_action.hpp"

using namespace std::chrono_literals;
using dsm_ros::action::Relocalize;
using GoalHandle = rclcpp_action::ServerGoalHandle<Relocalize>;

/// Server that answers a goal request after a delay and ends a goal only through `goal`.
class Relocalizer : public rclcpp::Node
{
public:
  Relocalizer()
  : Node("relocalizer")
  {
    server_ = rclcpp_action::create_server<Relocalize>(
      this, "relocalizer/relocalize",
      [this](const rclcpp_action::GoalUUID &, std::shared_ptr<const Relocalize::Goal>) {
        std::this_thread::sleep_for(delay);
        return answer;
      },
      [](std::shared_ptr<GoalHandle>) {return rclcpp_action::CancelResponse::ACCEPT;},
      [this](std::shared_ptr<GoalHandle> handle) {goal = handle;});
  }

  std::chrono::milliseconds delay{0};
  rclcpp_action::GoalResponse answer = rclcpp_action::GoalResponse::ACCEPT_AND_EXECUTE;
  std::shared_ptr<GoalHandle> goal;

private:
  rclcpp_action::Server<Relocalize>::SharedPtr server_;
};

class RelocalizeTest : public testing::Test
{
protected:
  void SetUp() override
  {
    spinner_.add_node(relocalizer_);
    thread_ = std::thread([this] {spinner_.spin();});
    rclcpp::Node::SharedPtr node = std::make_shared<rclcpp::Node>("bt_navigator");
    blackboard_->set("node", node);
    blackboard_->set<std::chrono::milliseconds>("server_timeout", 20ms);
    blackboard_->set<std::chrono::milliseconds>("cancel_timeout", 500ms);
    blackboard_->set<std::chrono::milliseconds>("bt_loop_duration", 10ms);
    blackboard_->set<std::chrono::milliseconds>("wait_for_service_timeout", 10s);
    factory_.registerFromPlugin(PLUGIN);
  }

  void TearDown() override
  {
    spinner_.cancel();
    thread_.join();
  }

  void create_tree(const std::string & ports)
  {
    tree_ = factory_.createTreeFromText(
      "<root BTCPP_format=\"4\"><BehaviorTree ID=\"Main\"><Relocalize " + ports +
      " pose=\"{pose}\" reason=\"{reason}\"/></BehaviorTree></root>", blackboard_);
  }

  /// Tick the tree until the server has the goal.
  GoalHandle & goal()
  {
    for (int tick = 0; tick < 500 && !relocalizer_->goal; ++tick) {
      EXPECT_EQ(tree_.tickOnce(), BT::NodeStatus::RUNNING);
      std::this_thread::sleep_for(10ms);
    }
    if (!relocalizer_->goal) {
      throw std::runtime_error("the server received no goal");
    }
    return *relocalizer_->goal;
  }

  BT::NodeStatus tick_to_end()
  {
    auto status = BT::NodeStatus::RUNNING;
    for (int tick = 0; tick < 500 && status == BT::NodeStatus::RUNNING; ++tick) {
      status = tree_.tickOnce();
      std::this_thread::sleep_for(10ms);
    }
    return status;
  }

  std::shared_ptr<Relocalizer> relocalizer_ = std::make_shared<Relocalizer>();
  BT::Blackboard::Ptr blackboard_ = BT::Blackboard::create();
  BT::BehaviorTreeFactory factory_;
  BT::Tree tree_;

private:
  rclcpp::executors::SingleThreadedExecutor spinner_;
  std::thread thread_;
};

TEST_F(RelocalizeTest, SucceedsWithThePoseOfTheServer)
{
  create_tree("timeout_s=\"3.5\"");
  EXPECT_FLOAT_EQ(goal().get_goal()->timeout_s, 3.5f);
  EXPECT_FALSE(goal().get_goal()->use_hint);
  auto result = std::make_shared<Relocalize::Result>();
  result->success = true;
  result->pose.pose.pose.position.x = 7.0;
  goal().succeed(result);
  EXPECT_EQ(tick_to_end(), BT::NodeStatus::SUCCESS);
  auto pose = blackboard_->get<geometry_msgs::msg::PoseWithCovarianceStamped>("pose");
  EXPECT_EQ(pose.pose.pose.position.x, 7.0);
  EXPECT_EQ(blackboard_->get<std::string>("reason"), "");
  EXPECT_EQ(blackboard_->get<int>("number_recoveries"), 1);
}

TEST_F(RelocalizeTest, FailsWithTheReasonOfTheServer)
{
  create_tree("is_recovery=\"false\"");
  auto result = std::make_shared<Relocalize::Result>();
  result->reason = "timeout";
  goal().abort(result);
  EXPECT_EQ(tick_to_end(), BT::NodeStatus::FAILURE);
  EXPECT_EQ(blackboard_->get<std::string>("reason"), "timeout");
  int recoveries = 0;
  EXPECT_FALSE(blackboard_->get("number_recoveries", recoveries));
}

TEST_F(RelocalizeTest, SendsTheHint)
{
  geometry_msgs::msg::PoseStamped hint;
  hint.header.frame_id = "odom";
  hint.pose.position.y = 2.0;
  blackboard_->set("guess", hint);
  create_tree("hint=\"{guess}\"");
  EXPECT_TRUE(goal().get_goal()->use_hint);
  EXPECT_EQ(goal().get_goal()->hint.header.frame_id, "odom");
  EXPECT_EQ(goal().get_goal()->hint.pose.pose.position.y, 2.0);
  tree_.haltTree();
}

TEST_F(RelocalizeTest, SearchesWithoutAHintThatIsMissing)
{
  create_tree("hint=\"{guess}\"");
  EXPECT_FALSE(goal().get_goal()->use_hint);
  tree_.haltTree();
}

TEST_F(RelocalizeTest, SearchesWithoutTheHintOfTheLastSearch)
{
  blackboard_->set("guess", geometry_msgs::msg::PoseStamped());
  create_tree("hint=\"{guess}\"");
  goal().succeed(std::make_shared<Relocalize::Result>());
  EXPECT_EQ(tick_to_end(), BT::NodeStatus::SUCCESS);
  blackboard_->unset("guess");
  relocalizer_->goal.reset();
  EXPECT_FALSE(goal().get_goal()->use_hint);
  tree_.haltTree();
}

TEST_F(RelocalizeTest, FailsWithAReasonWhenTheServerRejectsTheGoal)
{
  relocalizer_->answer = rclcpp_action::GoalResponse::REJECT;
  blackboard_->set<std::string>("reason", "timeout");
  create_tree("");
  EXPECT_EQ(tick_to_end(), BT::NodeStatus::FAILURE);
  EXPECT_EQ(blackboard_->get<std::string>("reason"), "not_accepted");
}

TEST_F(RelocalizeTest, WaitsForAServerThatIsSlowerThanTheDefaultTimeoutOfNav2)
{
  relocalizer_->delay = 200ms;
  create_tree("");
  goal().succeed(std::make_shared<Relocalize::Result>());
  EXPECT_EQ(tick_to_end(), BT::NodeStatus::SUCCESS);
}

TEST_F(RelocalizeTest, CancelsTheGoalWhenTheTreeIsHalted)
{
  create_tree("");
  auto & sent = goal();
  tree_.tickOnce();
  tree_.haltTree();
  for (int wait = 0; wait < 500 && !sent.is_canceling(); ++wait) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(sent.is_canceling());
  EXPECT_EQ(blackboard_->get<std::string>("reason"), "canceled");
}

int main(int argc, char ** argv)
{
  testing::InitGoogleTest(&argc, argv);
  rclcpp::init(argc, argv);
  const int status = RUN_ALL_TESTS();
  rclcpp::shutdown();
  return status;
}
