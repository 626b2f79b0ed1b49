#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "app/config.h"
#include "app/server.h"
#include "cli/commands.h"

int main(int argument_count, char** arguments) {
  using namespace cherax;
  cli::CommandLine line{"Backup and restore of Apache Cassandra clusters", cli::process_console()};
  std::string config;
  line.add_command("server", "Serve the node and coordinator APIs",
                   [&config] { return static_cast<cli::ExitCode>(app::run_server(config)); })
      .add_option("-c,--config", config, "The configuration file, YAML or JSON")
      ->required();
  cli::add_client_commands(line, app::load_storages);
  return static_cast<int>(line.run(argument_count, arguments));
}
