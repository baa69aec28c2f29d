/// Runs a fuzzer where there is no libFuzzer: on each file named, or in a directory named, and then on random
/// mutations of them, which are the same each time.
///     fuzz_NAME CORPUS...      STOREMON_FUZZ_RUNS: how many mutations
#include "storemon/synth/random.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using storemon::synth::random_source;

constexpr size_t input_bytes_max = 4096;
constexpr uint64_t runs_normally = 50'000;

/// What is being run, for whoever has to know what crashed.
std::string input; // NOLINT: a signal handler sees nothing else

/// Keeps the input that ended the program, and ends it as it would have ended.
void keep_input(int signal) {
  if (auto* file = std::fopen("fuzz-crash", "wb")) {
    std::fwrite(input.data(), 1, input.size(), file);
    std::fclose(file);
    std::fputs("the input is in the file fuzz-crash\n", stderr);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run() {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::vector<std::string> read_corpus(int count, char** paths) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  for (int i = 1; i < count; ++i)
    if (fs::is_directory(paths[i]))
      std::copy(fs::directory_iterator(paths[i]), fs::directory_iterator(), std::back_inserter(files));
    else
      files.emplace_back(paths[i]);
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& path : files) {
    std::ifstream in(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

void mutate(std::string& text, const std::vector<std::string>& corpus, random_source& random) {
  constexpr std::string_view telling = "\"',:;\r\n\t {}[]\\0159-+.TZ%&=/\x7f\x80\xff";
  const auto place = [&] { return random.below(text.size() + 1); };
  const auto some = [&](size_t at) { return random.below(std::min<size_t>(text.size() - at, 32) + 1); };
  const auto at = place();
  switch (random.below(6)) {
  case 0:
    if (at < text.size())
      text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
    break;
  case 1:
    if (at < text.size())
      text[at] = static_cast<char>(random.next());
    break;
  case 2:
    text.insert(at, 1, telling[random.below(telling.size())]);
    break;
  case 3:
    text.erase(at, some(at));
    break;
  case 4: {
    const auto copied = text.substr(at, some(at));
    text.insert(place(), copied);
    break;
  }
  default:
    const auto& other = corpus[random.below(corpus.size())];
    const auto from = random.below(other.size() + 1);
    text.insert(at, other.substr(from, random.below(64)));
  }
  text.resize(std::min(text.size(), input_bytes_max));
}

} // namespace

int main(int argc, char** argv) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, keep_input);
  const auto corpus = read_corpus(argc, argv);
  if (corpus.empty()) {
    std::fputs("there is nothing to begin with: name files or directories\n", stderr);
    return 2;
  }
  for (const auto& file : corpus) {
    input = file;
    run();
  }
  const auto* wanted = std::getenv("STOREMON_FUZZ_RUNS");
  const auto runs = wanted ? std::strtoull(wanted, nullptr, 10) : runs_normally;
  random_source random(1, 0);
  for (uint64_t i = 0; i < runs; ++i) {
    input = corpus[random.below(corpus.size())];
    for (auto left = 1 + random.below(4); left > 0; --left)
      mutate(input, corpus, random);
    run();
  }
  std::printf("%zu files and %llu mutations of them\n", corpus.size(), static_cast<unsigned long long>(runs));
}
