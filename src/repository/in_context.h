#pragma once

#include <string>

#include "base/stream.h"

namespace cherax::repository {

/// Stages that put `context` before the message of every Error that comes from behind them. What a store throws by
/// itself names the object already; what it only passes through does not.
class SourceInContext final : public Source {
 public:
  SourceInContext(Source& inner, std::string context) : inner_(inner), context_(std::move(context)) {}
  std::size_t read(MutableByteView buffer) override {
    return in_context(context_, [&] { return inner_.read(buffer); });
  }

 private:
  Source& inner_;
  std::string context_;
};

class SinkInContext final : public Sink {
 public:
  SinkInContext(Sink& inner, std::string context) : inner_(inner), context_(std::move(context)) {}
  void write(ByteView bytes) override {
    in_context(context_, [&] { inner_.write(bytes); });
  }
  void finish() override {
    in_context(context_, [&] { inner_.finish(); });
  }

 private:
  Sink& inner_;
  std::string context_;
};

}  // namespace cherax::repository
