#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/task.h"

namespace cherax::node {

/// What a plugin adds to a node: POST /node/<name>/<operation> starts one of its operations under the node's lock, like
/// any other. Called from several threads.
class Extension {
 public:
  struct Operation {
    std::string name;
    Shape shape;
    /// Does it; `request` is the body, an object. Returns the final result.
    std::function<http::Body(Task&, const json::value& request)> run;
    /// Throws http::ResponseError when the request's members are wrong; before anything else is looked at.
    std::function<void(const json::value& request)> validate;
  };

  virtual ~Extension() = default;
  virtual std::string_view name() const = 0;
  virtual std::vector<Operation> operations() = 0;
  /// Throws http::ResponseError when this node's configuration does not allow the operation.
  virtual void require_allowed(std::string_view operation) const = 0;
};

/// The usual shape: a plain NodeResult.
json::value plain_shape(const api::NodeResult& result);

}  // namespace cherax::node
