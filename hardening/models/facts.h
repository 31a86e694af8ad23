// SPDX-License-Identifier: Apache-2.0
// Everything that checks ask a host, each part read once: a model is a struct with
//     static Result<Model> read(Facts& facts);
// and facts.get<Model>() is its only instance, or the error that reading it met. For one thread.
#pragma once

#include "agent/base/result.h"
#include "agent/host/host.h"
#include "hardening/models/surroundings.h"

#include <cstdint>
#include <map>
#include <memory>
#include <typeindex>

namespace hostward::hardening {

class Facts {
public:
    /// `now_s`: seconds since 1970, for what depends on the day.
    /// `may_sweep`: whether the whole file system may be walked. Models that need it are an error otherwise.
    /// `surroundings` outlives this object.
    Facts(const host::Host& host, std::int64_t now_s, bool may_sweep = true,
          Surroundings& surroundings = no_surroundings())
        : host_(host), now_s_(now_s), may_sweep_(may_sweep), surroundings_(surroundings)
    {
    }

    [[nodiscard]] const host::Host& host() const { return host_; }
    [[nodiscard]] std::int64_t now_s() const { return now_s_; }
    [[nodiscard]] bool may_sweep() const { return may_sweep_; }
    [[nodiscard]] Surroundings& surroundings() const { return surroundings_; }

    /// Models may ask for other models, not in a circle. The reference lives as long as this object.
    template <typename Model> [[nodiscard]] const Result<Model>& get()
    {
        const std::type_index key(typeid(Model));
        auto found = known_.find(key);
        if (found == known_.end()) {
            auto read = std::make_shared<Result<Model>>(Model::read(*this));
            found = known_.emplace(key, std::move(read)).first;
        }
        return *static_cast<const Result<Model>*>(found->second.get());
    }

private:
    const host::Host& host_;
    std::int64_t now_s_;
    bool may_sweep_;
    Surroundings& surroundings_;
    std::map<std::type_index, std::shared_ptr<void>> known_;
};

} // namespace hostward::hardening
