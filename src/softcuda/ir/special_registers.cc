#include "softcuda/ir/special_registers.h"

#include <unordered_map>

namespace longwire::softcuda::ir {
namespace {

struct Named {
  const char* name;
  SpecialRegister what;
};

// clang-format off
constexpr Named kSpecials[] = {
    {"%tid.x", {Special::kTidX}}, {"%tid.y", {Special::kTidY}}, {"%tid.z", {Special::kTidZ}},
    {"%ntid.x", {Special::kNtidX}}, {"%ntid.y", {Special::kNtidY}}, {"%ntid.z", {Special::kNtidZ}},
    {"%ctaid.x", {Special::kCtaidX}}, {"%ctaid.y", {Special::kCtaidY}}, {"%ctaid.z", {Special::kCtaidZ}},
    {"%nctaid.x", {Special::kNctaidX}}, {"%nctaid.y", {Special::kNctaidY}}, {"%nctaid.z", {Special::kNctaidZ}},
    {"%cluster_ctaid.x", {Special::kClusterCtaidX}}, {"%cluster_ctaid.y", {Special::kClusterCtaidY}},
    {"%cluster_ctaid.z", {Special::kClusterCtaidZ}},
    {"%cluster_nctaid.x", {Special::kClusterNctaidX}}, {"%cluster_nctaid.y", {Special::kClusterNctaidY}},
    {"%cluster_nctaid.z", {Special::kClusterNctaidZ}},
    {"%clusterid.x", {Special::kClusteridX}}, {"%clusterid.y", {Special::kClusteridY}},
    {"%clusterid.z", {Special::kClusteridZ}},
    {"%nclusterid.x", {Special::kNclusteridX}}, {"%nclusterid.y", {Special::kNclusteridY}},
    {"%nclusterid.z", {Special::kNclusteridZ}},
    {"%cluster_ctarank", {Special::kClusterCtarank}}, {"%cluster_nctarank", {Special::kClusterNctarank}},
    {"%is_explicit_cluster", {Special::kIsExplicitCluster, Type::kPred}},
    {"%laneid", {Special::kLaneid}}, {"%warpid", {Special::kWarpid}}, {"%nwarpid", {Special::kNwarpid}},
    {"%smid", {Special::kSmid}}, {"%nsmid", {Special::kNsmid}},
    {"%gridid", {Special::kGridid, Type::kU32, true}},
    {"%lanemask_eq", {Special::kLanemaskEq}}, {"%lanemask_le", {Special::kLanemaskLe}},
    {"%lanemask_lt", {Special::kLanemaskLt}}, {"%lanemask_ge", {Special::kLanemaskGe}},
    {"%lanemask_gt", {Special::kLanemaskGt}},
    {"%clock", {Special::kClock}}, {"%clock_hi", {Special::kClockHi}},
    {"%clock64", {Special::kClock64, Type::kU64}},
    {"%globaltimer", {Special::kGlobaltimer, Type::kU64}},
    {"%globaltimer_lo", {Special::kGlobaltimerLo}}, {"%globaltimer_hi", {Special::kGlobaltimerHi}},
    {"%total_smem_size", {Special::kTotalSmemSize}}, {"%dynamic_smem_size", {Special::kDynamicSmemSize}},
    {"%aggr_smem_size", {Special::kAggrSmemSize}},
    {"%current_graph_exec", {Special::kCurrentGraphExec, Type::kU64}},
    {"%envreg0", {Special::kEnvregOther}}, {"%envreg1", {Special::kEnvreg1}}, {"%envreg2", {Special::kEnvreg2}}, {"%envreg3", {Special::kEnvregOther}},
    {"%envreg4", {Special::kEnvregOther}}, {"%envreg5", {Special::kEnvregOther}}, {"%envreg6", {Special::kEnvregOther}}, {"%envreg7", {Special::kEnvregOther}},
    {"%envreg8", {Special::kEnvregOther}}, {"%envreg9", {Special::kEnvregOther}}, {"%envreg10", {Special::kEnvregOther}}, {"%envreg11", {Special::kEnvregOther}},
    {"%envreg12", {Special::kEnvregOther}}, {"%envreg13", {Special::kEnvregOther}}, {"%envreg14", {Special::kEnvregOther}}, {"%envreg15", {Special::kEnvregOther}},
    {"%envreg16", {Special::kEnvregOther}}, {"%envreg17", {Special::kEnvregOther}}, {"%envreg18", {Special::kEnvregOther}}, {"%envreg19", {Special::kEnvregOther}},
    {"%envreg20", {Special::kEnvregOther}}, {"%envreg21", {Special::kEnvregOther}}, {"%envreg22", {Special::kEnvregOther}}, {"%envreg23", {Special::kEnvregOther}},
    {"%envreg24", {Special::kEnvregOther}}, {"%envreg25", {Special::kEnvregOther}}, {"%envreg26", {Special::kEnvregOther}}, {"%envreg27", {Special::kEnvregOther}},
    {"%envreg28", {Special::kEnvregOther}}, {"%envreg29", {Special::kEnvregOther}}, {"%envreg30", {Special::kEnvregOther}}, {"%envreg31", {Special::kEnvregOther}},
};
// clang-format on

}  // namespace

std::optional<SpecialRegister> find_special(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, SpecialRegister> map;
    for (const auto& special : kSpecials)
      map.emplace(special.name, special.what);
    return map;
  }();
  const auto found = by_name.find(name);
  if (found == by_name.end()) return std::nullopt;
  return found->second;
}

const char* name_of(Special special) noexcept {
  for (const auto& named : kSpecials) {
    if (named.what.special == special) return named.name;
  }
  return "?";
}

}  // namespace longwire::softcuda::ir
