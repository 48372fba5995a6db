// How pages look.

/// The style sheet of every page. Colours are Okabe and Ito's where they carry meaning: told apart by colour-blind readers.
let pageStyle = """
  :root{--page:#ffffff;--ink:#1a1a1a;--soft:#595959;--line:#d0d0d0;--band:#f3f4f6;--link:#00509e;--one:#005a9c;--two:#b34700;\
  --three:#00755a;--four:#8a3b7a;--five:#6b6b00;--six:#444444}
  @media (prefers-color-scheme:dark){:root{--page:#16181c;--ink:#e8e8e8;--soft:#b0b0b0;--line:#44484f;--band:#22262c;--link:#8cc4ff;\
  --one:#6cb6ff;--two:#ff9d5c;--three:#4fd1ad;--four:#e29ad2;--five:#d6d65c;--six:#c8c8c8}}
  *{box-sizing:border-box}
  body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;\
  overflow-wrap:anywhere}
  h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}
  h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
  p{max-width:48rem;margin:.5rem 0}
  a{color:var(--link)}
  nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;padding:0;margin:.5rem 0}
  figure{margin:1rem 0}
  figcaption{color:var(--soft);font-size:.875rem;max-width:48rem}
  .scroll{overflow-x:auto}
  .scroll:focus-visible,svg .cell:focus-visible,svg .mark:focus-visible{outline:3px solid var(--link);outline-offset:1px}
  svg{display:block;max-width:none}
  svg .page{fill:var(--page)}
  svg .ink{fill:var(--ink)}
  svg .soft{fill:var(--soft)}
  svg .axis{stroke:var(--line)}
  svg .s0{stroke:var(--one)}svg .s1{stroke:var(--two)}svg .s2{stroke:var(--three)}svg .s3{stroke:var(--four)}\
  svg .s4{stroke:var(--five)}svg .s5{stroke:var(--six)}
  svg .f0{fill:var(--one)}svg .f1{fill:var(--two)}svg .f2{fill:var(--three)}svg .f3{fill:var(--four)}\
  svg .f4{fill:var(--five)}svg .f5{fill:var(--six)}
  table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
  caption{text-align:left;color:var(--soft);padding:.25rem 0}
  th,td{padding:.2rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);overflow-wrap:normal}
  td.n,th.n{text-align:right}
  td.t{min-width:5rem;max-width:24rem;overflow-wrap:anywhere}
  thead th{position:sticky;top:0;background:var(--band)}
  th button{color:inherit;background:none;border:0;border-radius:0;padding:0;cursor:pointer;text-align:inherit}
  th button::after{content:" \\2195";color:var(--soft)}
  th[aria-sort=ascending] button::after{content:" \\2191"}
  th[aria-sort=descending] button::after{content:" \\2193"}
  .rows{max-height:32rem;overflow:auto}
  label{display:block;margin:.5rem 0;color:var(--soft)}
  input{font:inherit;color:var(--ink);background:var(--page);border:1px solid var(--soft);border-radius:4px;padding:.2rem .5rem;\
  max-width:100%}
  input[type=range]{width:min(24rem,100%);vertical-align:middle;padding:0}
  dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:.25rem 1rem;margin:.5rem 0}
  dt{color:var(--soft);font-size:.8rem}
  dd{margin:0}
  mark{background:none;color:inherit;border-radius:3px;padding:0 2px}
  mark.a1{box-shadow:inset 0 -2px var(--two)}
  mark.a2{box-shadow:inset 0 -4px var(--two)}
  mark.a3{box-shadow:inset 0 0 0 1px var(--two),inset 0 -5px var(--two)}
  mark.a4{box-shadow:inset 0 0 0 2px var(--two),inset 0 -6px var(--two);font-weight:600}
  .card .context{font-size:.8rem;border-top:1px solid var(--line);padding-top:.25rem}
  fieldset{border:0;padding:0;margin:.5rem 0;display:flex;flex-wrap:wrap;gap:.25rem 1rem;color:var(--soft)}
  legend{float:left;padding:0;margin-right:1rem}
  fieldset label{display:inline;margin:0}
  .figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(29rem,100%),1fr));gap:0 1rem}
  .figures figure{min-width:0}
  .what-if .fields{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(14rem,100%),1fr));gap:.25rem 1rem}
  .what-if label span,.what-if label small{display:block}
  .what-if .answers{overflow-x:auto}
  select,button{font:inherit;color:var(--ink);background:var(--page);border:1px solid var(--soft);border-radius:4px;\
  padding:.2rem .5rem;max-width:100%}
  .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:.75rem}
  .card{border:1px solid var(--line);border-radius:6px;padding:.5rem .75rem}
  .card h3{font-size:1rem;margin:0}
  .card p{margin:.25rem 0;font-size:.9rem}
  pre{background:var(--band);padding:.5rem;overflow-x:auto;white-space:pre-wrap}
  [hidden]{display:none}
  @media print{body{max-width:none}.rows{max-height:none}label{display:none}section{break-inside:avoid-page}}
  """
