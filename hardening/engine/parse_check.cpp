// SPDX-License-Identifier: Apache-2.0
// Check expressions: `{ all = [ ... ] }`, `{ if = {...}, then = {...} }`, `{ PRIMITIVE = { arguments } }`.
#include "hardening/engine/parse.h"

#include "agent/base/text.h"
#include "agent/config/toml_reader.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

using config::Complaints;
using config::TomlEntry;
using config::TomlNode;
using Type = TomlNode::Type;

struct Operator {
    std::string_view name;
    Check::Kind kind;
};

constexpr std::array kOperators{
    Operator{"all", Check::Kind::All},
    Operator{"any", Check::Kind::Any},
    Operator{"none", Check::Kind::None},
    Operator{"exactly_one", Check::Kind::ExactlyOne},
};

class CheckReader {
public:
    CheckReader(Primitives primitives, Complaints& complaints) : primitives_(primitives), complaints_(complaints) {}

    Check read(const TomlNode& node, const std::string& key)
    {
        Check check;
        check.place = node.place;
        if (!node.is(Type::Table)) {
            complaints_.add(node.place, key + " is " + node.type_text + ": allowed is a table with one check");
        } else if (node.find("if") != nullptr) {
            read_if(node, key, check);
        } else if (node.entries.size() != 1) {
            complaints_.add(node.place, key + " has " + std::to_string(node.entries.size()) +
                                            " keys: allowed is one operator or one primitive");
        } else {
            read_one(node.entries.front(), key, check);
        }
        return check;
    }

private:
    void read_if(const TomlNode& node, const std::string& key, Check& check)
    {
        check.kind = Check::Kind::If;
        const auto* then = node.find("then");
        if (then == nullptr || node.entries.size() != 2) {
            complaints_.add(node.place, key + " has `if`: allowed beside it is `then`, and nothing else");
            return;
        }
        check.parts.push_back(read(*node.find("if"), key + ".if"));
        check.parts.push_back(read(*then, key + ".then"));
    }

    void read_one(const TomlEntry& entry, const std::string& key, Check& check)
    {
        const std::string name = key + "." + entry.key;
        const auto found = std::ranges::find(kOperators, std::string_view(entry.key), &Operator::name);
        if (found != kOperators.end()) {
            check.kind = found->kind;
            read_parts(entry.node, name, check);
        } else if (entry.key == "for_each") {
            check.kind = Check::Kind::ForEach;
            read_for_each(entry.node, name, check);
        } else {
            check.kind = Check::Kind::Primitive;
            read_primitive(entry, name, check);
        }
    }

    void read_parts(const TomlNode& node, const std::string& key, Check& check)
    {
        if (!node.is(Type::Array) || node.elements.empty()) {
            complaints_.add(node.place, key + " is " + node.type_text + ": allowed is an array of at least one check");
            return;
        }
        for (const auto& element : node.elements) {
            check.parts.push_back(read(element, key));
        }
    }

    void read_for_each(const TomlNode& node, const std::string& key, Check& check)
    {
        const auto* in = node.find("in");
        const auto* each = node.find("check");
        if (in == nullptr || each == nullptr || node.entries.size() != 2) {
            complaints_.add(node.place, key + " allows two keys, both needed: in, check");
            return;
        }
        check.arguments.push_back(read_argument({"in", in->place, *in}, key));
        check.parts.push_back(read(*each, key + ".check"));
    }

    void read_primitive(const TomlEntry& entry, const std::string& key, Check& check)
    {
        const auto found = std::ranges::find_if(primitives_, [&](const auto* p) { return p->name == entry.key; });
        if (found == primitives_.end()) {
            complaints_.add(entry.place, key + " is neither an operator nor a primitive");
            return;
        }
        check.primitive = *found;
        if (!entry.node.is(Type::Table)) {
            complaints_.add(entry.place, key + " is " + entry.node.type_text + ": allowed is a table of arguments");
            return;
        }
        for (const auto& argument : entry.node.entries) {
            check.arguments.push_back(read_argument(argument, key));
        }
    }

    /// A value, `{ parameter = "name" }` or `{ item = true }`.
    ArgumentText read_argument(const TomlEntry& entry, const std::string& key)
    {
        ArgumentText out{entry.key, {}, "", false, entry.place};
        const std::string name = key + "." + entry.key;
        if (!entry.node.is(Type::Table)) {
            out.value = read_value(entry.node, name, complaints_).value_or(Value());
            return out;
        }
        const auto* parameter = entry.node.find("parameter");
        const auto* item = entry.node.find("item");
        if (entry.node.entries.size() == 1 && parameter != nullptr && parameter->is(Type::Text)) {
            out.parameter = parameter->text;
        } else if (entry.node.entries.size() == 1 && item != nullptr && item->is(Type::Flag) && item->flag) {
            out.is_item = true;
        } else {
            complaints_.add(entry.place,
                            name + R"( is a table: allowed are { parameter = "NAME" } and { item = true })");
        }
        return out;
    }

    Primitives primitives_;
    Complaints& complaints_;
};

/// Looks at arguments with the values that parameters have.
class ArgumentChecker {
public:
    ArgumentChecker(const std::map<std::string, Value>& parameters, Complaints& complaints)
        : parameters_(parameters), complaints_(complaints)
    {
    }

    /// `item`: one value of the set that an enclosing for_each is over.
    void look(const Check& check, const Value* item)
    {
        if (check.kind == Check::Kind::Primitive && check.primitive != nullptr) {
            look_at_primitive(check, item);
        }
        if (check.kind == Check::Kind::ForEach && !check.arguments.empty()) {
            look_at_set(check);
            return;
        }
        for (const auto& part : check.parts) {
            look(part, item);
        }
    }

private:
    void look_at_set(const Check& check)
    {
        const Value* set = value_of(check.arguments.front(), nullptr);
        constexpr ArgumentSpec kSet{"in", ValueType::List, true, "", {}};
        if (set == nullptr) {
            return;
        }
        if (const auto problem = problem_with(*set, kSet)) {
            complaints_.add(check.arguments.front().place, "for_each.in " + *problem);
            return;
        }
        for (const auto& one : std::get<std::vector<std::string>>(*set)) {
            const Value item(one);
            look(check.parts.front(), &item);
        }
    }

    /// Null: a complaint was made.
    const Value* value_of(const ArgumentText& argument, const Value* item)
    {
        if (argument.is_item) {
            if (item == nullptr) {
                complaints_.add(argument.place, argument.name + " is { item = true } outside for_each");
            }
            return item;
        }
        if (argument.parameter.empty()) {
            return &argument.value;
        }
        const auto found = parameters_.find(argument.parameter);
        if (found == parameters_.end()) {
            complaints_.add(argument.place, argument.name + " names the parameter " + quote(argument.parameter) +
                                                ", which the rule does not have");
            return nullptr;
        }
        return &found->second;
    }

    void look_at_primitive(const Check& check, const Value* item)
    {
        const auto specs = check.primitive->arguments;
        for (const auto& argument : check.arguments) {
            const auto spec = std::ranges::find(specs, std::string_view(argument.name), &ArgumentSpec::name);
            if (spec == specs.end()) {
                complaints_.add(argument.place, "unknown argument " + quote(argument.name) + " of " +
                                                    std::string(check.primitive->name) + ": allowed are " +
                                                    names(specs));
                continue;
            }
            const Value* value = value_of(argument, item);
            const auto problem = value == nullptr ? std::nullopt : problem_with(*value, *spec);
            if (problem) {
                complaints_.add(argument.place,
                                std::string(check.primitive->name) + "." + argument.name + " " + *problem);
            }
        }
        for (const auto& spec : specs) {
            if (spec.required &&
                std::ranges::find(check.arguments, spec.name, &ArgumentText::name) == check.arguments.end()) {
                complaints_.add(check.place,
                                std::string(check.primitive->name) + "." + std::string(spec.name) + " is missing");
            }
        }
    }

    static std::string names(std::span<const ArgumentSpec> specs)
    {
        std::vector<std::string> all;
        std::ranges::transform(specs, std::back_inserter(all), [](const auto& spec) { return std::string(spec.name); });
        return config::quoted_list(all);
    }

    const std::map<std::string, Value>& parameters_;
    Complaints& complaints_;
};

} // namespace

std::optional<Value> read_value(const TomlNode& node, const std::string& key, Complaints& complaints)
{
    switch (node.type) {
    case Type::Text: return Value(node.text);
    case Type::Integer: return Value(node.integer);
    case Type::Flag: return Value(node.flag);
    case Type::Array: break;
    case Type::Table:
    case Type::Other:
        complaints.add(node.place,
                       key + " is " + node.type_text + ": allowed are text, numbers, true, false and lists");
        return std::nullopt;
    }
    std::vector<std::string> list;
    for (const auto& element : node.elements) {
        if (!element.is(Type::Text)) {
            complaints.add(element.place, "a value of " + key + " is " + element.type_text + ": allowed is a string");
            return std::nullopt;
        }
        list.push_back(element.text);
    }
    return Value(std::move(list));
}

Check read_check(const TomlNode& node, const std::string& key, Primitives primitives, Complaints& complaints)
{
    return CheckReader(primitives, complaints).read(node, key);
}

void check_arguments(const Check& check, const std::map<std::string, Value>& values, Complaints& complaints)
{
    ArgumentChecker(values, complaints).look(check, nullptr);
}

} // namespace hostward::hardening
