// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hostward::hardening {

/// The page's only style sheet. Filters are check boxes before <main>: no script is needed to hide what is unchecked.
inline constexpr auto kHtmlStyle = R"css(
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2430;--dim:#5b6675;--line:#d9dee5;--card:#f6f8fa;
--pass:#1a7f37;--fail:#cf222e;--cannot-tell:#9a6700;--manual:#0969da;--not-applicable:#6e7781;--waived:#8250df}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9198a1;--line:#30363d;--card:#161b22;
--pass:#3fb950;--fail:#f85149;--cannot-tell:#d29922;--manual:#58a6ff;--not-applicable:#8b949e;--waived:#bc8cff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:70rem;font:15px/1.5 system-ui,sans-serif;background:var(--bg);color:var(--fg)}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
p.sub{margin:0;color:var(--dim)}
.charts{display:flex;flex-wrap:wrap;gap:1.5rem;align-items:center;margin:1.5rem 0;padding:1rem;background:var(--card);
border:1px solid var(--line);border-radius:.5rem}
.charts svg{flex:none}.charts table{flex:1 1 20rem;border-collapse:collapse;min-width:0}
.charts th{text-align:left;font-weight:normal;padding:.1rem .75rem .1rem 0;white-space:nowrap}
.charts td{width:100%}.bar{display:flex;height:.8rem;border-radius:.2rem;overflow:hidden;background:var(--line)}
.bar i{display:block}
input.f{position:absolute;opacity:0}
label.f{display:inline-block;margin:0 .4rem .4rem 0;padding:.15rem .7rem;border:1px solid var(--line);border-radius:1rem;
cursor:pointer;color:var(--dim);text-decoration:line-through}
.filters{position:sticky;top:0;padding:.6rem 0 .2rem;background:var(--bg);border-bottom:1px solid var(--line)}
details{border-bottom:1px solid var(--line)}
summary{display:grid;grid-template-columns:8.5rem 5.5rem 1fr auto;gap:.75rem;padding:.4rem 0;cursor:pointer;list-style:none}
summary::-webkit-details-marker{display:none}
summary b{font-weight:600}summary .t,dd,li{overflow-wrap:anywhere}
.meta{color:var(--dim);font-size:.85rem;white-space:nowrap}
dl{margin:.25rem 0 1rem;padding:.75rem 1rem;background:var(--card);border-radius:.5rem}
dt{font-weight:600;margin-top:.5rem}dt:first-child{margin-top:0}dd{margin:0}
ul{margin:0;padding-left:1.2rem}code,pre{font:13px/1.5 ui-monospace,monospace}pre{white-space:pre-wrap;margin:0;overflow-wrap:anywhere}
.none{color:var(--dim)}
@media(max-width:40rem){body{padding:1rem}summary{grid-template-columns:auto 1fr;gap:.1rem .75rem}
summary .t{grid-column:1/3}summary .meta{grid-column:1/3;white-space:normal}}
@media print{.filters{display:none}details{break-inside:avoid}}
)css";

} // namespace hostward::hardening
