// SPDX-License-Identifier: Apache-2.0
#include "agent/report/strict_json.h"
#include "agent/base/text.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <set>
#include <vector>

namespace hostward::report {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kShownBytes = 64;

/// Looks at the events of a parse; keeps names of the members of every open object.
class Strict : public nlohmann::json_sax<Json> {
public:
    explicit Strict(std::string& why) : why_(why) {}

    bool null() override { return scalar(); }
    bool boolean(bool /*value*/) override { return scalar(); }
    bool number_integer(std::int64_t /*value*/) override { return scalar(); }
    bool number_unsigned(std::uint64_t /*value*/) override { return scalar(); }
    bool number_float(double /*value*/, const std::string& /*text*/) override { return scalar(); }
    bool string(std::string& /*value*/) override { return scalar(); }
    bool binary(Json::binary_t& /*value*/) override { return scalar(); }
    bool start_object(std::size_t /*size*/) override { return open(); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t /*size*/) override { return !open_.empty() ? open() : scalar(); }
    bool end_array() override { return close(); }
    bool key(std::string& name) override
    {
        return open_.back().insert(name).second ||
               refuse("it has the member " + quote(name.substr(0, kShownBytes)) + " twice");
    }
    bool parse_error(std::size_t position, const std::string& /*token*/,
                     const nlohmann::detail::exception& /*problem*/) override
    {
        return refuse("it is no JSON at byte " + std::to_string(position));
    }

private:
    bool refuse(const std::string& why)
    {
        why_ = why;
        return false;
    }
    bool scalar() { return !open_.empty() || refuse("it is no JSON object"); }
    bool open()
    {
        open_.emplace_back();
        return open_.size() <= kJsonDepthMax || refuse("it is nested too deep");
    }
    bool close()
    {
        open_.pop_back();
        return true;
    }

    std::string& why_;
    std::vector<std::set<std::string>> open_; ///< of an array: empty
};

} // namespace

Status check_strict_object(std::string_view bytes, const std::string& what)
{
    std::string why;
    Strict strict(why);
    return Json::sax_parse(bytes, &strict) ? success() : invalid_error(what + ": " + why);
}

} // namespace hostward::report
