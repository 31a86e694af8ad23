// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/packet_walk.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace hostward::hardening {

namespace {

constexpr int kDepthMax = 16;              ///< the kernel allows as many jumps
constexpr std::size_t kParcelsMax = 2048;  ///< parts that one kind of packets is in at a time
constexpr std::size_t kStepsMax = 100'000; ///< parts of packets that were held to a rule

using Fields = std::array<NumberSet, kPacketFields>;

/// Packets that had the same way so far.
struct Parcel {
    Fields fields;
    bool may_be_accepted = false; ///< a rule that is not understood came before
    bool may_be_dropped = false;
    bool is_part = false; ///< a rule asked for a part that the fields do not show
    std::string by;
    std::string where;
};
using Parcels = std::vector<Parcel>;

class Walk {
public:
    Walk(const FilterRules& rules, const PacketKind& packets) : rules_(rules), family_(packets.family)
    {
        add_name("lo");
        add_name(""); // no interface
        for (const auto& chain : rules.chains) {
            for (const auto& rule : chain.rules) {
                for (const auto& condition : rule.conditions) {
                    std::ranges::for_each(condition.names, [this](const std::string& name) { add_name(name); });
                }
            }
        }
    }

    Result<PacketFate> through(const PacketKind& packets)
    {
        Parcels parcels{Parcel{packets.fields, false, false, false, "having no chain", "all rules"}};
        for (const auto hook : packets.path) {
            for (const auto* base : chains_at(hook)) {
                TRY(through_base(*base, parcels));
            }
        }
        for (const auto& parcel : parcels) {
            note(fate_.accepted, {!parcel.may_be_dropped, parcel.by, parcel.where});
        }
        return fate_;
    }

private:
    void add_name(const std::string& name)
    {
        if (std::ranges::find(names_, name) == names_.end()) {
            names_.push_back(name);
        }
    }

    std::vector<const FilterChain*> chains_at(FilterHook hook) const
    {
        std::vector<const FilterChain*> found;
        for (const auto& chain : rules_.chains) {
            if (chain.hook == hook && chain.covers(family_)) {
                found.push_back(&chain);
            }
        }
        std::ranges::stable_sort(found, {}, [](const FilterChain* chain) { return chain->priority; });
        return found;
    }

    /// One base chain: what it accepts stays in `parcels`.
    Status through_base(const FilterChain& base, Parcels& parcels)
    {
        TRY_ASSIGN(auto ended, chain(base, std::move(parcels), 0));
        for (auto& parcel : ended) {
            parcel.by = std::string("policy ") + (base.drops ? "drop" : "accept") + " of " + base.text();
            parcel.where = base.where.text();
        }
        decide(base.drops ? FilterAction::Drop : FilterAction::Accept, std::move(ended));
        parcels = std::move(accepted_);
        accepted_.clear();
        return success();
    }

    /// The packets that come out at its end, undecided.
    Result<Parcels> chain(const FilterChain& chain, Parcels parcels, int depth)
    {
        if (depth > kDepthMax) {
            return Error{ErrorKind::Exhausted, 0, "chains call each other more than 16 deep at " + chain.text()};
        }
        Parcels ended;
        for (const auto& rule : chain.rules) {
            if (parcels.empty()) {
                break;
            }
            if (!rule.is_never && (!rule.family || *rule.family == family_)) {
                TRY_ASSIGN(parcels, through_rule(chain, rule, std::move(parcels), ended, depth));
            }
        }
        std::ranges::move(parcels, std::back_inserter(ended));
        return ended;
    }

    /// What goes on to the next rule. `ended`: what leaves the chain undecided.
    Result<Parcels> through_rule(const FilterChain& chain, const FilterRule& rule, Parcels parcels, Parcels& ended,
                                 int depth)
    {
        Parcels fitting;
        Parcels others;
        const auto wanted = wanted_of(rule);
        for (auto& parcel : parcels) {
            cut(rule, wanted, std::move(parcel), fitting, others);
        }
        steps_ += parcels.size();
        if (others.size() + fitting.size() > kParcelsMax || steps_ > kStepsMax) {
            return Error{ErrorKind::Exhausted, 0, "the rules split packets too often at " + rule.where.text()};
        }
        if (rule.action == FilterAction::Jump || rule.action == FilterAction::Goto) {
            TRY_ASSIGN(auto back, call(chain, rule, std::move(fitting), depth));
            std::ranges::move(back, std::back_inserter(rule.action == FilterAction::Jump ? others : ended));
        } else if (rule.action == FilterAction::Return) {
            std::ranges::move(fitting, std::back_inserter(ended));
        } else if (rule.action == FilterAction::Continue) {
            std::ranges::move(fitting, std::back_inserter(others));
        } else {
            decide(rule.action, std::move(fitting));
        }
        return others;
    }

    Result<Parcels> call(const FilterChain& from, const FilterRule& rule, Parcels parcels, int depth)
    {
        const auto* target = rules_.find(from.family, from.table, rule.target);
        if (target == nullptr) {
            return invalid_error("no chain " + rule.target + " where " + rule.where.text() + " goes to it");
        }
        return parcels.empty() ? Result<Parcels>(Parcels{}) : chain(*target, std::move(parcels), depth + 1);
    }

    void decide(FilterAction action, Parcels parcels)
    {
        for (auto& parcel : parcels) {
            if (action == FilterAction::Drop || action == FilterAction::Unknown) {
                const bool is_certain = action == FilterAction::Drop && !parcel.may_be_accepted;
                note(fate_.dropped, {is_certain, parcel.by, parcel.where});
            }
            if (action != FilterAction::Drop) {
                parcel.may_be_dropped = parcel.may_be_dropped || action == FilterAction::Unknown;
                accepted_.push_back(std::move(parcel));
            }
        }
    }

    static void note(std::optional<PacketFate::Some>& known, PacketFate::Some found)
    {
        if (!known || (found.is_certain && !known->is_certain)) {
            known = std::move(found);
        }
    }

    /// One condition of a rule with its interfaces as numbers.
    struct Wanted {
        std::size_t field;
        NumberSet inside;
        NumberSet outside;
    };

    std::vector<Wanted> wanted_of(const FilterRule& rule) const
    {
        std::vector<Wanted> all;
        for (const auto& condition : rule.conditions) {
            const NumberSet numbers = numbers_of(condition);
            all.push_back({static_cast<std::size_t>(condition.field), numbers, numbers.complement()});
        }
        return all;
    }

    /// Splits the packets in those that fit the rule and the others. Where that is not known they are in both.
    static void cut(const FilterRule& rule, const std::vector<Wanted>& wanted, Parcel parcel, Parcels& fitting,
                    Parcels& others)
    {
        const bool fits = std::ranges::none_of(
            wanted, [&](const Wanted& one) { return parcel.fields[one.field].and_also(one.inside).empty(); });
        if (!fits) {
            others.push_back(std::move(parcel));
            return;
        }
        const auto before = others.size();
        const Parcel whole = parcel;
        for (const auto& one : wanted) {
            auto& field = parcel.fields[one.field];
            NumberSet left = field.and_also(one.outside);
            field = field.and_also(one.inside);
            if (!left.empty()) {
                Parcel rest = parcel;
                rest.fields[one.field] = std::move(left);
                others.push_back(std::move(rest));
            }
            if (field.empty()) { // two conditions on one field that exclude each other
                others.resize(before);
                others.push_back(whole);
                return;
            }
        }
        take(rule, std::move(parcel), fitting, others);
    }

    static void take(const FilterRule& rule, Parcel parcel, Parcels& fitting, Parcels& others)
    {
        const bool asks_more = rule.rest != FilterRule::Rest::None && rule.action != FilterAction::Continue;
        // Of one such part it is certain that some packets fit and some do not; two may exclude or cover each other.
        const bool is_open = asks_more && (rule.rest == FilterRule::Rest::Unknown || parcel.is_part);
        parcel.is_part = parcel.is_part || asks_more;
        if (asks_more) {
            Parcel passed = parcel;
            passed.may_be_accepted = passed.may_be_accepted || (is_open && rule.action != FilterAction::Drop);
            passed.may_be_dropped = passed.may_be_dropped || (is_open && rule.action != FilterAction::Accept);
            others.push_back(std::move(passed));
        }
        if (is_open) {
            parcel.may_be_accepted = true;
            parcel.may_be_dropped = true;
        }
        if (rule.action != FilterAction::Continue) {
            parcel.by = rule.text;
            parcel.where = rule.where.text();
        }
        fitting.push_back(std::move(parcel));
    }

    NumberSet numbers_of(const PacketCondition& condition) const
    {
        if (condition.field != PacketField::InInterface && condition.field != PacketField::OutInterface) {
            return condition.numbers;
        }
        NumberSet fits;
        for (std::size_t i = 0; i < names_.size(); ++i) {
            if (names_interface(condition.names, names_[i])) {
                fits.add(i, i);
            }
        }
        if (std::ranges::find(condition.names, "*") != condition.names.end()) {
            fits = NumberSet::all();
        }
        return condition.is_negated ? fits.complement() : fits;
    }

    const FilterRules& rules_;
    IpFamily family_;
    std::vector<std::string> names_; ///< number of an interface -> name; higher numbers: all others
    Parcels accepted_;
    PacketFate fate_;
    std::size_t steps_ = 0;
};

PacketKind new_connections(IpFamily family)
{
    PacketKind kind;
    kind.family = family;
    kind.fields.fill(NumberSet::all());
    constexpr Wide kAddressMax4 = 0xffffffff;
    constexpr Wide kPortMax = 0xffff;
    constexpr Wide kProtocolMax = 0xff;
    for (const auto field : {PacketField::Source, PacketField::Destination}) {
        kind[field] = NumberSet(0, family == IpFamily::V4 ? kAddressMax4 : kWideMax);
    }
    for (const auto field : {PacketField::SourcePort, PacketField::DestinationPort}) {
        kind[field] = NumberSet(0, kPortMax);
    }
    kind[PacketField::Protocol] = NumberSet(0, kProtocolMax);
    constexpr auto kNew = static_cast<Wide>(PacketState::New);
    kind[PacketField::State] = NumberSet(kNew, kNew);
    return kind;
}

} // namespace

PacketKind packets_in(IpFamily family, bool is_lo)
{
    PacketKind kind = new_connections(family);
    kind.path = {FilterHook::Prerouting, FilterHook::Input};
    kind[PacketField::InInterface] =
        is_lo ? NumberSet(kInterfaceLo, kInterfaceLo) : NumberSet(kNoInterface + 1, kWideMax);
    kind[PacketField::OutInterface] = NumberSet(kNoInterface, kNoInterface);
    return kind;
}

PacketKind packets_out_lo(IpFamily family)
{
    PacketKind kind = new_connections(family);
    kind.path = {FilterHook::Output, FilterHook::Postrouting};
    kind[PacketField::InInterface] = NumberSet(kNoInterface, kNoInterface);
    kind[PacketField::OutInterface] = NumberSet(kInterfaceLo, kInterfaceLo);
    return kind;
}

Result<PacketFate> fate_of(const FilterRules& rules, const PacketKind& packets)
{
    return Walk(rules, packets).through(packets);
}

} // namespace hostward::hardening
