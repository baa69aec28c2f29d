#include "storemon/node/config.hpp"

#include "storemon/node/maintenance.hpp"
#include "storemon/node/settings.hpp"
#include "storemon/node/settings_file.hpp"
#include "storemon/node/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <memory>

namespace storemon::node {

namespace {

std::string unknown_setting(const std::string& name, const std::string& where) {
  const auto nearest = nearest_setting(name.starts_with("--") ? name.substr(2) : name);
  return "unknown setting '" + name + "'" + where +
         (nearest.empty() ? "; --help lists them all" : "; did you mean '" + std::string(nearest) + "'?");
}

/// Hands CLI11 the items of our file by their full names: its own reader would take a section for a
/// subcommand. Every item is checked here, also those that the command line overrides.
class settings_reader : public CLI::Config {
public:
  explicit settings_reader(const CLI::App& app) : app_(app) {}

  /// CLI11 asks for it only to write a configuration, which we never do.
  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }

  std::vector<CLI::ConfigItem> from_config(std::istream& in) const override {
    const auto file = app_.get_config_ptr()->as<std::string>();
    const auto read = read_settings_file(in);
    if (!read)
      throw CLI::FileError(file + ", " + read.error().detail);
    std::vector<CLI::ConfigItem> items;
    for (const auto& item : *read) {
      check(item, file);
      items.push_back({{}, item.name, {item.value}});
    }
    return items;
  }

private:
  static void check(const file_item& item, const std::string& file) {
    const auto line = ", line " + std::to_string(item.line);
    const auto* known = find_setting(item.name);
    if (!known)
      throw CLI::FileError(unknown_setting(item.name, " in " + file + line));
    configuration scratch;
    const std::string quote = item.is_text ? "\"" : "";
    if (item.is_text != known->is_text || !known->take(scratch, item.value))
      throw CLI::FileError(file + line + ": " + item.name + " = " + quote + item.value + quote + ": " +
                           known->expects + (known->is_text && !item.is_text ? ", in quotes" : ""));
  }

  const CLI::App& app_;
};

/// CLI11 2.1 lets `--name=` swallow the argument after it; as two arguments the empty value is seen.
std::vector<std::string> split_empty_values(std::span<const std::string> arguments) {
  std::vector<std::string> split;
  for (const auto& argument : arguments)
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1)
      split.insert(split.end(), {argument.substr(0, argument.size() - 1), ""});
    else
      split.push_back(argument);
  return split;
}

exit_now refuse(const std::string& why) {
  return {2, "storemond: " + why + "\n", true};
}

std::variant<configuration, exit_now> take_all(const CLI::App& app,
                                               const std::map<std::string, std::string>& texts) {
  if (const auto rest = app.remaining(); !rest.empty()) {
    const auto name = rest.front().substr(0, rest.front().find('='));
    return refuse(name.starts_with("-") ? unknown_setting(name, "")
                                        : "unexpected argument '" + rest.front() + "'");
  }
  for (const auto* option : app.get_options())
    if (option->count() > 1)
      return refuse(option->get_name() + " is given more than once");
  if (app.get_config_ptr()->count() > 0 && app.get_config_ptr()->as<std::string>().empty())
    return refuse("--config=: the name of a file is expected");
  configuration config;
  for (const auto& s : all_settings())
    if (app.get_option("--" + s.name)->count() > 0 && !s.take(config, texts.at(s.name)))
      return refuse("--" + s.name + "=" + texts.at(s.name) + ": " + s.expects);
  if (const auto why = contradiction(config))
    return refuse(*why);
  return config;
}

} // namespace

std::variant<configuration, exit_now> read_configuration(std::span<const std::string> arguments) {
  CLI::App app("storemond knows for every store when it was open for orders, and answers over HTTP.",
               "storemond");
  constexpr size_t names_width = 44;
  app.get_formatter()->column_width(names_width);
  app.footer("Subcommands:\n" + maintenance_usage());
  app.set_version_flag("--version", "storemond " + std::string(version));
  app.set_config("--config", "", "A TOML file of these settings; the command line beats it.")
      ->type_name("FILE");
  // Of two equal options CLI11's own complaint is hard to read, so it takes the last and we complain.
  app.get_config_ptr()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.config_formatter(std::make_shared<settings_reader>(app));
  app.allow_extras();
  std::map<std::string, std::string> texts;
  const configuration defaults;
  for (const auto& s : all_settings())
    app.add_option("--" + s.name, texts[s.name], s.about)
        ->type_name(s.is_text ? "TEXT" : "NUMBER")
        ->default_str(s.show(defaults))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->group(s.group());

  auto given = split_empty_values(arguments);
  std::reverse(given.begin(), given.end()); // CLI11 takes them from the back
  try {
    app.parse(std::move(given));
  } catch (const CLI::CallForHelp&) {
    return exit_now{0, app.help(), false};
  } catch (const CLI::CallForVersion& version_text) {
    return exit_now{0, version_text.what() + std::string("\n"), false};
  } catch (const CLI::ParseError& failure) {
    return refuse(failure.what());
  }
  return take_all(app, texts);
}

} // namespace storemon::node
