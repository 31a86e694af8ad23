// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/evaluate.h"

namespace hostward::hardening {

namespace {

class Evaluation {
public:
    Evaluation(const std::map<std::string, Value>& parameters, Facts& facts) : parameters_(parameters), facts_(facts) {}

    Outcome look(const Check& check, const Value* item)
    {
        switch (check.kind) {
        case Check::Kind::All: return all_of(parts(check, item));
        case Check::Kind::Any: return any_of(parts(check, item));
        case Check::Kind::None: return none_of(parts(check, item));
        case Check::Kind::ExactlyOne: return exactly_one_of(parts(check, item));
        case Check::Kind::If: return conditional(check, item);
        case Check::Kind::ForEach: return for_each(check);
        case Check::Kind::Primitive: return ask(check, item);
        }
        return Outcome::cannot_tell("unknown operator");
    }

private:
    std::vector<Outcome> parts(const Check& check, const Value* item)
    {
        std::vector<Outcome> all;
        for (const auto& part : check.parts) {
            all.push_back(look(part, item));
        }
        return all;
    }

    Outcome conditional(const Check& check, const Value* item)
    {
        Outcome condition = look(check.parts[0], item);
        switch (condition.verdict) {
        case Verdict::Pass: return look(check.parts[1], item);
        case Verdict::Fail: {
            Outcome out = Outcome::not_applicable("the condition of this rule does not hold here");
            out.add_all(condition);
            return out;
        }
        case Verdict::NotApplicable:
        case Verdict::Manual:
        case Verdict::CannotTell: break;
        }
        return condition;
    }

    Outcome for_each(const Check& check)
    {
        std::vector<Outcome> all;
        for (const auto& one : std::get<std::vector<std::string>>(value_of(check.arguments.front(), nullptr))) {
            const Value item(one);
            all.push_back(look(check.parts.front(), &item));
        }
        return all_of(all);
    }

    const Value& value_of(const ArgumentText& argument, const Value* item) const
    {
        if (argument.is_item && item != nullptr) {
            return *item;
        }
        return argument.parameter.empty() ? argument.value : parameters_.at(argument.parameter);
    }

    Outcome ask(const Check& check, const Value* item)
    {
        std::map<std::string, Value, std::less<>> values;
        for (const auto& argument : check.arguments) {
            values.emplace(argument.name, value_of(argument, item));
        }
        auto outcome = check.primitive->evaluate(Arguments(std::move(values)), facts_);
        return outcome ? outcome.take() : Outcome::cannot_tell(outcome.error().text);
    }

    const std::map<std::string, Value>& parameters_;
    Facts& facts_;
};

/// What `applies` found, as the outcome of a rule that is not looked at.
Outcome not_looked_at(const Outcome& applies)
{
    if (applies.verdict == Verdict::CannotTell || applies.verdict == Verdict::Manual) {
        Outcome out = Outcome::cannot_tell("whether this rule applies: " + applies.reason);
        out.add_all(applies);
        return out;
    }
    Outcome out = Outcome::not_applicable(applies.reason.empty() ? "what this rule is about is not on this host"
                                                                 : applies.reason);
    out.add_all(applies);
    return out;
}

} // namespace

Outcome evaluate(const Check& check, const std::map<std::string, Value>& parameters, Facts& facts)
{
    return Evaluation(parameters, facts).look(check, nullptr);
}

Outcome evaluate(const Rule& rule, const std::map<std::string, Value>& parameters, Facts& facts)
{
    if (rule.applies) {
        const Outcome applies = evaluate(*rule.applies, parameters, facts);
        if (applies.verdict != Verdict::Pass) {
            return not_looked_at(applies);
        }
    }
    if (!rule.check) {
        return Outcome{Verdict::Manual, "a person must judge this", {}, 0};
    }
    return evaluate(*rule.check, parameters, facts);
}

} // namespace hostward::hardening
