#pragma once

#include <cstdint>

#include "base/stream.h"

namespace cherax::transform {

/// The output side of an encoder that makes its output in pieces of its own size: refill() puts the next piece into
/// `staged_`, read() hands it out in whatever sizes the caller wants.
class StagedSource : public Source {
 public:
  std::size_t read(MutableByteView buffer) final;

 protected:
  /// Puts the next bytes into the empty `staged_`; leaves it empty at the end, and only there.
  virtual void refill() = 0;
  Bytes staged_;

 private:
  std::size_t offset_ = 0;
  bool ended_ = false;
};

/// Passes at most `limit` bytes on; the write that would exceed it throws Error{corrupt} and passes on nothing. Stands
/// behind every decoder that meets bytes nobody has checked yet.
class CappedSink final : public Sink {
 public:
  CappedSink(Sink& inner, std::uint64_t limit) : inner_(inner), limit_(limit), left_(limit) {}
  void write(ByteView bytes) override;
  void finish() override { inner_.finish(); }

 private:
  Sink& inner_;
  std::uint64_t limit_;
  std::uint64_t left_;
};

}  // namespace cherax::transform
