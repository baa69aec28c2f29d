#include "storemon/backtest/plot.hpp"

#include <array>
#include <cstdio>

namespace storemon::backtest {

namespace {

// Pixels.
constexpr int side = 300; ///< of a panel's square
constexpr int left = 56;
constexpr int top = 44;
constexpr int gap = 64;
constexpr int below = 52;
constexpr int legend_width = 150;
constexpr int line_height = 22;

/// Seen well on white as on black.
constexpr std::array<const char*, 7> colours{"#3d7fd9", "#d9772b", "#2a9d8a", "#b8901f",
                                             "#9b6bd1", "#7f8b99", "#dc4a5d"};

constexpr const char* style = R"(<style>
  svg { --paper: #ffffff; --ink: #24292f; --line: #d0d7de; font: 12px sans-serif; }
  @media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #d6dde5; --line: #3a424c; } }
  .paper { fill: var(--paper); }
  text { fill: var(--ink); }
  .title { font-size: 14px; font-weight: bold; }
  .middle { text-anchor: middle; }
  .end { text-anchor: end; }
  .grid { fill: none; stroke: var(--line); }
  .ideal { stroke: var(--ink); stroke-dasharray: 4 4; }
  .curve { fill: none; stroke-width: 2; }
</style>
)";

template <class... Values>
std::string format(const char* form, Values... values) {
  std::string text(static_cast<size_t>(std::snprintf(nullptr, 0, form, values...)), '\0');
  std::snprintf(text.data(), text.size() + 1, form, values...);
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text)
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    default:
      out += c;
    }
  return out;
}

/// The square of one panel.
class square {
public:
  explicit square(size_t place) : x0_(left + static_cast<int>(place) * (side + gap)) {}

  double x(double share) const { return x0_ + share * side; }

  double y(double share) const { return top + (1 - share) * side; }

  std::string frame(const std::string& title) const {
    std::string svg = format("<text class=\"title middle\" x=\"%.1f\" y=\"%d\">", x(0.5), top - 16) +
                      escaped(title) + "</text>\n";
    constexpr int steps = 5;
    for (int i = 0; i <= steps; ++i) {
      const double share = static_cast<double>(i) / steps;
      svg += format("<path class=\"grid\" d=\"M%.1f %.1fH%.1fM%.1f %.1fV%.1f\"/>\n", x(0), y(share), x(1),
                    x(share), y(0), y(1));
      svg += format("<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">%.1f</text>\n", x(share), y(0) + 18, share);
      svg += format("<text class=\"end\" x=\"%.1f\" y=\"%.1f\">%.1f</text>\n", x(0) - 8, y(share) + 4, share);
    }
    svg += format("<path class=\"ideal\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", x(0), y(0), x(1), y(1));
    svg += format("<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">predicted share active</text>\n", x(0.5),
                  y(0) + 38);
    return svg;
  }

  std::string curve(const panel::curve& drawn, const char* colour) const {
    std::string points, dots;
    for (const auto& band : drawn.of.bands) {
      if (band.count < drawn_min)
        continue;
      const double predicted = band.predicted / static_cast<double>(band.count);
      const double observed = band.observed / static_cast<double>(band.count);
      points += format("%s%.1f,%.1f", points.empty() ? "" : " ", x(predicted), y(observed));
      dots += format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"><title>", x(predicted),
                     y(observed), colour) +
              escaped(drawn.name) +
              format(": %.3f predicted, %.3f observed, %llu times</title></circle>\n", predicted, observed,
                     static_cast<unsigned long long>(band.count));
    }
    if (points.empty())
      return {};
    return format("<polyline class=\"curve\" stroke=\"%s\" points=\"", colour) + points + "\"/>\n" + dots;
  }

private:
  int x0_;
};

const char* colour_of(size_t curve) {
  return colours[curve % colours.size()];
}

std::string legend(std::span<const panel::curve> curves, int x) {
  std::string svg;
  for (size_t c = 0; c < curves.size(); ++c) {
    const int y = top + 8 + static_cast<int>(c) * line_height;
    svg += format("<path class=\"curve\" stroke=\"%s\" d=\"M%d %dh20\"/>\n", colour_of(c), x, y);
    svg += format("<text x=\"%d\" y=\"%d\">", x + 28, y + 4) + escaped(curves[c].name) + "</text>\n";
  }
  return svg;
}

} // namespace

std::string calibration_svg(std::span<const panel> panels) {
  const int legend_x = left + static_cast<int>(panels.size()) * (side + gap) - gap / 2;
  const int width = legend_x + legend_width;
  const int height = top + side + below;
  auto svg =
      format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
             "role=\"img\">\n<title>Calibration of uptime estimators</title>\n",
             width, height, width, height);
  svg += style;
  svg += format("<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", width, height);
  svg += format(
      "<text class=\"middle\" transform=\"translate(16 %d) rotate(-90)\">observed share active</text>\n",
      top + side / 2);
  for (size_t p = 0; p < panels.size(); ++p) {
    const square at(p);
    svg += at.frame(panels[p].title);
    for (size_t c = 0; c < panels[p].curves.size(); ++c)
      svg += at.curve(panels[p].curves[c], colour_of(c));
  }
  if (!panels.empty())
    svg += legend(panels.front().curves, legend_x);
  return svg + "</svg>\n";
}

} // namespace storemon::backtest
