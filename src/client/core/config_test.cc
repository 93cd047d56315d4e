#include "client/core/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace longwire::client::core {
namespace {

using ::testing::HasSubstr;

// An environment and a file system of a test's own.
class ConfigTest : public ::testing::Test {
 protected:
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;

  ConfigSource source() {
    ConfigSource source;
    source.variable = [this](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    source.file = [this](const std::string& path) -> base::Result<std::optional<std::string>> {
      const auto found = files.find(path);
      return found == files.end() ? std::nullopt : std::optional(found->second);
    };
    return source;
  }
  Config load() {
    auto config = load_config(source());
    EXPECT_TRUE(config.ok()) << config.error().message();
    return config.ok() ? *config : Config{};
  }
  std::string failure() {
    const auto config = load_config(source());
    return config.ok() ? "" : config.error().message();
  }
};

std::string all(const std::vector<NodeAddress>& nodes) {
  std::string text;
  for (const NodeAddress& node : nodes)
    text += (text.empty() ? "" : " ") + node.to_string();
  return text;
}

TEST_F(ConfigTest, NothingSaidIsNothingConfigured) {
  const Config config = load();
  EXPECT_TRUE(config.nodes.empty());
  EXPECT_EQ(config.connect_timeout_ms, kDefaultConnectTimeoutMs);
  EXPECT_EQ(config.home, "");
}

TEST_F(ConfigTest, NodesOfTheEnvironment) {
  variables["LONGWIRE_NODES"] = " gpu-box , tcp:10.0.0.2:9478,unix:/run/longwire.sock,,tls:[::1]:9";
  const Config config = load();
  EXPECT_EQ(all(config.nodes), "gpu-box tcp:10.0.0.2:9478 unix:/run/longwire.sock [::1]:9");
  EXPECT_EQ(config.nodes[0].transport, NodeAddress::Transport::kTls);
  EXPECT_EQ(config.nodes[2].transport, NodeAddress::Transport::kUnix);
  EXPECT_EQ(config.nodes[2].place, "/run/longwire.sock");
}

// As text it goes to another process (`longwire devices`), which must not find plain TCP in it.
TEST_F(ConfigTest, AHostCalledAsATransportIsStillOne) {
  for (const char* text : {"tls:tcp:9477", "tls:tls:9477", "tls:unix:9477"}) {
    const auto node = parse_node_address(text);
    ASSERT_TRUE(node.ok()) << text;
    EXPECT_EQ(node->transport, NodeAddress::Transport::kTls);
    const auto again = parse_node_address(node->to_string());
    ASSERT_TRUE(again.ok()) << node->to_string();
    EXPECT_EQ(again->transport, NodeAddress::Transport::kTls);
    EXPECT_EQ(again->place, node->place);
  }
}

TEST_F(ConfigTest, TheEnvironmentKeepsTheFileUnread) {
  variables["LONGWIRE_CONFIG_HOME"] = "/home/anna/lw";
  files["/home/anna/lw/config.toml"] = "this is no TOML";
  variables["LONGWIRE_NODES"] = "";
  EXPECT_TRUE(load().nodes.empty());
}

TEST_F(ConfigTest, FilesInTheirOrder) {
  files["/etc/longwire/config.toml"] = "nodes = ['everybody']";
  EXPECT_EQ(all(load().nodes), "everybody");
  variables["HOME"] = "/home/anna";
  EXPECT_EQ(all(load().nodes), "everybody");
  files["/home/anna/.config/longwire/config.toml"] = "nodes = ['anna']";
  EXPECT_EQ(all(load().nodes), "anna");
  variables["XDG_CONFIG_HOME"] = "relative";
  EXPECT_EQ(load().home, "/home/anna/.config/longwire");
  variables["XDG_CONFIG_HOME"] = "/xdg";
  files["/xdg/longwire/config.toml"] = "nodes = ['xdg']\nconnect_timeout_ms = 50";
  const Config config = load();
  EXPECT_EQ(all(config.nodes), "xdg");
  EXPECT_EQ(config.home, "/xdg/longwire");
  EXPECT_EQ(config.connect_timeout_ms, 50);
  variables["LONGWIRE_CONFIG_HOME"] = "/mine";
  EXPECT_EQ(load().home, "/mine");
}

TEST_F(ConfigTest, DisabledWhateverElseIsSaid) {
  variables["LONGWIRE_NODES"] = "gpu-box";
  variables["LONGWIRE_DISABLE"] = "1";
  EXPECT_TRUE(load().nodes.empty());
  variables["LONGWIRE_DISABLE"] = "0";
  EXPECT_EQ(load().nodes.size(), 1u);
}

TEST_F(ConfigTest, TimeOut) {
  variables["LONGWIRE_CONNECT_TIMEOUT_MS"] = "250";
  EXPECT_EQ(load().connect_timeout_ms, 250);
  for (const char* bad : {"", "0", "-1", "3s", "600001", "99999999999999999999"}) {
    variables["LONGWIRE_CONNECT_TIMEOUT_MS"] = bad;
    EXPECT_THAT(failure(), HasSubstr("LONGWIRE_CONNECT_TIMEOUT_MS: ")) << bad;
  }
}

TEST_F(ConfigTest, BadNodesAreNamed) {
  for (const std::string bad : {"unix:relative", "unix:", "tcp:", "a b", "http://x/y", "a\x01z"}) {
    variables["LONGWIRE_NODES"] = bad;
    EXPECT_THAT(failure(), HasSubstr("LONGWIRE_NODES: ")) << bad;
  }
  variables["LONGWIRE_NODES"] = std::string(kMaxNodeAddressBytes + 1, 'a');
  EXPECT_THAT(failure(), HasSubstr("too long"));
  std::string many;
  for (std::size_t i = 0; i <= kMaxNodes; ++i)
    many += "a,";
  variables["LONGWIRE_NODES"] = many;
  EXPECT_THAT(failure(), HasSubstr("more than"));
}

// A file in anybody's hands: every one of these is refused with its name, and nothing crashes.
TEST_F(ConfigTest, HostileFiles) {
  variables["LONGWIRE_CONFIG_HOME"] = "/c";
  const std::string deep(20'000, '[');
  for (const std::string& bad :
       {std::string("nodes = 3"), std::string("nodes = [1]"), std::string("nodes = [['a']]"),
        std::string("nodes = ['unix:x']"), std::string("unknown = 1"), std::string("[nodes]"),
        std::string("connect_timeout_ms = 1.5"), std::string("connect_timeout_ms = 0"),
        std::string("nodes = ['a"), std::string("\0\xff\xfe", 3), "nodes = " + deep,
        std::string("nodes = ['a']\nnodes = ['b']")}) {
    files["/c/config.toml"] = bad;
    EXPECT_THAT(failure(), HasSubstr("/c/config.toml")) << bad.substr(0, 40);
  }
}

TEST_F(ConfigTest, UnreadableFileIsAnError) {
  ConfigSource broken = source();
  variables["LONGWIRE_CONFIG_HOME"] = "/c";
  broken.file = [](const std::string& path) -> base::Result<std::optional<std::string>> {
    return base::Error(base::ErrorCode::kInvalidArgument, path + ": Permission denied");
  };
  EXPECT_FALSE(load_config(broken).ok());
}

TEST(SystemConfigSource, FilesAreBounded) {
  const ConfigSource source = system_config_source();
  const auto missing = source.file("/nonexistent/config.toml");
  ASSERT_TRUE(missing.ok());
  EXPECT_FALSE(missing->has_value());
  EXPECT_FALSE(source.file("/dev/zero").ok());
  EXPECT_FALSE(source.file("/").ok());
}

}  // namespace
}  // namespace longwire::client::core
