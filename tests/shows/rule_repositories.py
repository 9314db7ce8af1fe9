"""Ten repositories, one for each format of rule files, with mistakes in some, and what has to be said of each.

Nothing here runs anything. The texts are short: what counts is where a file lies and what its front matter says.
"""
from __future__ import annotations

from typing import NamedTuple


class Task(NamedTuple):
    """A task, and the hard rules that hold for it: by path, why."""
    prompt: str
    holds: dict[str, str]


class Repository(NamedTuple):
    name: str
    files: dict[str, str]
    # What `pu spec list` has to have, all of it: by path, the kind and the mode of a rule, or nothing for what is none.
    listed: dict[str, str]
    # What `pu spec lint` has to find, all of it but for notes.
    found: set[tuple[str, str]]
    tasks: list[Task]
    # Notes that have to be there.
    noted: set[tuple[str, str]] = frozenset()
    # Who loads a file without us.
    native: dict[str, str] = {}


# In a text, for the path of its file: what is the same under two paths goes into a context once.
OWN_PATH = "{own path}"


def front(*lines: str) -> str:
    return "\n".join(["---", *lines, "---", "# A rule", "", f"What {OWN_PATH} asks for comes first.", ""])


# Files that patterns are held against.
CODE = {path: "\n" for path in ("src/web/form.ts", "src/api/routes.py", "src/billing/ledger.rs", "db/schema.sql")}
WEB, API, BILLING = ("mend src/web/form.ts", "mend src/api/routes.py", "mend src/billing/ledger.rs")
ALL = "claude codex opencode pi qwen"

AGENTS = Repository(
    "AGENTS.md, nested",
    CODE | {
        "AGENTS.md": "# Agents\n\nRead [the guide](docs/guide.md) and [what is gone](docs/gone.md) first.\n",
        "docs/guide.md": "# The guide\n\nRun the tests.\n",
        "src/web/AGENTS.md": "# Web\n\nForms are tested in a browser.\n",
        "src/api/AGENTS.md": "# API\n\nSee [errors](#how-errors-look).\n\n## Errors\n\nEach has a code.\n",
        ".gitignore": "build/\n",
        "build/AGENTS.md": "# Not ours\n",
    },
    {"AGENTS.md": "agents always", "docs/guide.md": "", "src/web/AGENTS.md": "agents globs",
     "src/api/AGENTS.md": "agents globs"},
    {("AGENTS.md", "dead_link"), ("src/api/AGENTS.md", "dead_anchor")},
    [Task(WEB, {"AGENTS.md": "always", "src/web/AGENTS.md": "globs"}),
     Task("mend the build", {"AGENTS.md": "always"})],
    noted={("AGENTS.md", "loaded_natively")},
    native={"AGENTS.md": ALL},
)

CLAUDE = Repository(
    "CLAUDE.md, nested, with imports",
    CODE | {
        "CLAUDE.md": "# Claude\n\nFollow @docs/style.md and @docs/missing.md. Ask @somebody.\n",
        "docs/style.md": "# Style\n\nSmall functions.\n",
        "docs/plan.md": "# Plan\n\nNobody imports this.\n",
        "src/web/CLAUDE.md": "# Web\n\nForms are tested in a browser.\n",
    },
    {"CLAUDE.md": "claude always", "docs/style.md": "", "docs/plan.md": "", "src/web/CLAUDE.md": "claude globs"},
    {("CLAUDE.md", "dead_import")},
    [Task(WEB, {"CLAUDE.md": "always", "src/web/CLAUDE.md": "globs"}), Task(API, {"CLAUDE.md": "always"})],
    noted={("CLAUDE.md", "loaded_natively"), ("docs/style.md", "loaded_natively")},
    native={"CLAUDE.md": "claude opencode pi", "docs/style.md": "claude", "src/web/CLAUDE.md": "claude"},
)

CURSOR = Repository(
    "Cursor, .mdc",
    CODE | {
        ".cursor/rules/style.mdc": front("description: How code looks", "alwaysApply: true"),
        ".cursor/rules/web/forms.mdc": front("description:", "globs: src/web/**/*.ts,*.sql", "alwaysApply: false"),
        ".cursor/rules/api.mdc": front("description: For who writes an API", "globs:", "alwaysApply: false"),
        ".cursor/rules/silent.mdc": front("alwaysApply: false"),
        ".cursor/rules/unsure.mdc": front("description: Unsure", "alwaysApply: sometimes"),
        ".cursor/rules/both.mdc": front("globs: src/**", "alwaysApply: true"),
        ".cursor/rules/old.mdc": front("globs: legacy/**/*.ts"),
        ".cursor/rules/open.mdc": front("globs: src/[web/*.ts"),
        ".cursor/rules/notes.md": "# Notes\n\nCursor does not read this.\n",
    },
    {f".cursor/rules/{name}.mdc": f"cursor {mode}" for name, mode in (
        ("style", "always"), ("web/forms", "globs"), ("api", "model"), ("silent", "manual"), ("unsure", "model"),
        ("both", "always"), ("old", "globs"), ("open", "globs"))},
    {(f".cursor/rules/{name}", code) for name, code in (
        ("unsure.mdc", "rule_value_unknown"), ("both.mdc", "rule_contradicts"), ("old.mdc", "rule_matches_nothing"),
        ("open.mdc", "rule_glob_invalid"), ("open.mdc", "rule_never_fires"), ("notes.md", "file_misplaced"))},
    [Task(WEB, {".cursor/rules/style.mdc": "always", ".cursor/rules/both.mdc": "always",
                ".cursor/rules/web/forms.mdc": "globs"}),
     Task("follow .cursor/rules/silent.mdc", {".cursor/rules/style.mdc": "always", ".cursor/rules/both.mdc": "always",
                                              ".cursor/rules/silent.mdc": "manual"})],
    noted={(".cursor/rules/silent.mdc", "rule_by_hand_only")},
)

COPILOT = Repository(
    "Copilot, *.instructions.md",
    CODE | {
        ".github/copilot-instructions.md": "# Instructions\n\nWrite tests.\n",
        ".github/instructions/python.instructions.md": front("applyTo: '**/*.py'", "description: Python"),
        ".github/instructions/all.instructions.md": front('applyTo: "**"'),
        ".github/instructions/talk.instructions.md": front("description: How to write to users"),
        ".github/instructions/silent.instructions.md": "# Silent\n\nIt says nothing of when.\n",
        ".github/instructions/old.instructions.md": front("applyTo: legacy/**"),
        ".github/instructions/style.md": "# Style\n\nCopilot does not read this.\n",
    },
    {".github/copilot-instructions.md": "copilot always"} | {
        f".github/instructions/{name}.instructions.md": f"copilot {mode}" for name, mode in (
            ("python", "globs"), ("all", "always"), ("talk", "model"), ("silent", "manual"), ("old", "globs"))},
    {(".github/instructions/old.instructions.md", "rule_matches_nothing"),
     (".github/instructions/style.md", "file_misplaced")},
    [Task(API, {".github/copilot-instructions.md": "always", ".github/instructions/all.instructions.md": "always",
                ".github/instructions/python.instructions.md": "globs"}),
     Task(WEB, {".github/copilot-instructions.md": "always", ".github/instructions/all.instructions.md": "always"})],
    noted={(".github/instructions/silent.instructions.md", "rule_by_hand_only")},
)

KIRO = Repository(
    "Kiro steering",
    CODE | {
        ".kiro/steering/product.md": "# Product\n\nA shop.\n",
        ".kiro/steering/tech.md": front("inclusion: always"),
        ".kiro/steering/forms.md": front("inclusion: fileMatch", 'fileMatchPattern: ["src/web/**/*.ts", "src/ui/**"]'),
        ".kiro/steering/lost.md": front("inclusion: fileMatch"),
        ".kiro/steering/release.md": front("inclusion: manual"),
        ".kiro/steering/api.md": front("inclusion: auto", "name: api", "description: For who writes an API"),
        ".kiro/steering/never.md": front("inclusion: never"),
        ".kiro/steering/deep/inner.md": "# Inner\n\nKiro does not look here.\n",
    },
    {f".kiro/steering/{name}.md": f"kiro {mode}" for name, mode in (
        ("product", "always"), ("tech", "always"), ("forms", "globs"), ("lost", "globs"), ("release", "manual"),
        ("api", "model"), ("never", "always"))},
    {(".kiro/steering/forms.md", "glob_matches_nothing"), (".kiro/steering/lost.md", "rule_never_fires"),
     (".kiro/steering/never.md", "rule_value_unknown"), (".kiro/steering/deep/inner.md", "file_misplaced")},
    [Task(f"{WEB} as .kiro/steering/release.md says",
          {".kiro/steering/product.md": "always", ".kiro/steering/tech.md": "always",
           ".kiro/steering/never.md": "always", ".kiro/steering/forms.md": "globs",
           ".kiro/steering/release.md": "manual"}),
     Task(API, {f".kiro/steering/{name}.md": "always" for name in ("product", "tech", "never")})],
)

WINDSURF = Repository(
    "Windsurf rules",
    CODE | {
        ".windsurfrules": "Write tests.\n",
        ".windsurf/rules/style.md": front("trigger: always_on"),
        ".windsurf/rules/python.md": front("trigger: glob", "globs: *.py"),
        ".windsurf/rules/api.md": front("trigger: model_decision", "description: For who writes an API"),
        ".windsurf/rules/release.md": front("trigger: manual"),
        ".windsurf/rules/sql.md": front("trigger: globs", "globs: *.sql"),
        ".windsurf/rules/lost.md": front("trigger: glob", "description: It has no patterns"),
        ".windsurf/rules/shy.md": front("trigger: manual", "globs: src/**"),
    },
    {".windsurfrules": "windsurf always"} | {
        f".windsurf/rules/{name}.md": f"windsurf {mode}" for name, mode in (
            ("style", "always"), ("python", "globs"), ("api", "model"), ("release", "manual"), ("sql", "globs"),
            ("lost", "globs"), ("shy", "manual"))},
    {(".windsurf/rules/sql.md", "rule_value_unknown"), (".windsurf/rules/lost.md", "rule_never_fires"),
     (".windsurf/rules/shy.md", "rule_contradicts")},
    [Task(API, {".windsurfrules": "always", ".windsurf/rules/style.md": "always", ".windsurf/rules/python.md": "globs"}),
     Task("mend db/schema.sql", {".windsurfrules": "always", ".windsurf/rules/style.md": "always",
                                 ".windsurf/rules/sql.md": "globs"})],
)

CLINE = Repository(
    "Cline rules",
    CODE | {
        ".clinerules/01-style.md": "# Style\n\nSmall functions.\n",
        ".clinerules/02-words.txt": "Write plain English.\n",
        ".clinerules/api.md": front("paths:", "  - src/api/**"),
        ".clinerules/empty.md": front("paths: []"),
        ".clinerules/open.md": "---\npaths:\n  - src/web/**\n# Web\n\nNobody closed what stands above.\n",
    },
    {".clinerules/01-style.md": "cline always", ".clinerules/02-words.txt": "cline always",
     ".clinerules/api.md": "cline globs", ".clinerules/empty.md": "cline globs", ".clinerules/open.md": "cline always"},
    {(".clinerules/empty.md", "rule_never_fires"), (".clinerules/open.md", "front_matter_broken")},
    [Task(API, {".clinerules/01-style.md": "always", ".clinerules/02-words.txt": "always",
                ".clinerules/open.md": "always", ".clinerules/api.md": "globs"})],
)

CLAUDE_RULES = Repository(
    ".claude/rules",
    CODE | {
        ".claude/rules/style.md": "# Style\n\nSmall functions.\n",
        ".claude/rules/money/ledger.md": front("paths:", "  - src/billing/**", "  - src/tax/**"),
        ".claude/rules/web.md": front('paths: "src/{web,ui}/**/*.ts"'),
        ".claude/rules/old.md": front("paths: legacy/**"),
        ".claude/rules/line.md": front("paths: src/api/**", "this is no entry"),
    },
    {f".claude/rules/{name}.md": f"claude {mode}" for name, mode in (
        ("style", "always"), ("money/ledger", "globs"), ("web", "globs"), ("old", "globs"), ("line", "globs"))},
    {(".claude/rules/money/ledger.md", "glob_matches_nothing"), (".claude/rules/old.md", "rule_matches_nothing"),
     (".claude/rules/line.md", "front_matter_broken")},
    [Task(BILLING, {".claude/rules/style.md": "always", ".claude/rules/money/ledger.md": "globs"}),
     Task(f"{WEB} and src/api/routes.py", {".claude/rules/style.md": "always", ".claude/rules/web.md": "globs",
                                           ".claude/rules/line.md": "globs"})],
    noted={(".claude/rules/style.md", "loaded_natively")},
    native={f".claude/rules/{name}.md": "claude" for name in ("style", "money/ledger", "web", "old", "line")},
)

SKILLS = Repository(
    "skills",
    CODE | {
        ".claude/skills/release/SKILL.md": front("name: release", "description: Makes a release: version, notes, tag"),
        ".claude/skills/release/reference.md": "# Reference\n\nRead only by the skill.\n",
        ".claude/skills/deploy/SKILL.md": front("description: Deploys", "disable-model-invocation: true"),
        ".claude/skills/mute/SKILL.md": front("name: mute"),
        ".claude/skills/unsure/SKILL.md": front("description: Unsure", "disable-model-invocation: maybe"),
    },
    {f".claude/skills/{name}/SKILL.md": f"skill {mode}" for name, mode in (
        ("release", "model"), ("deploy", "manual"), ("mute", "model"), ("unsure", "model"))},
    {(".claude/skills/mute/SKILL.md", "rule_never_fires"), (".claude/skills/unsure/SKILL.md", "rule_value_unknown")},
    [Task(WEB, {}), Task("as .claude/skills/deploy/SKILL.md says", {".claude/skills/deploy/SKILL.md": "manual"})],
    noted={(".claude/skills/release/SKILL.md", "loaded_natively")},
    native={f".claude/skills/{name}/SKILL.md": "claude" for name in ("release", "deploy", "mute", "unsure")},
)

LONG = "\n\n".join(f"Entry number {number} names both sides, its day and who signed it." for number in range(900))
OPENSPEC = Repository(
    "OpenSpec",
    CODE | {
        "openspec/project.md": "# The shop\n\nWhat holds for all of it is in [the login](specs/login/spec.md).\n",
        "openspec/specs/login/spec.md": "---\nid: LOGIN\n---\n# Login\n\n## Requirement: A session ends\n\nIt ends after "
                                        "ten minutes.\n",
        "openspec/specs/session/spec.md": "---\nid: LOGIN\n---\n# Session\n\nIt calls itself by the id of another.\n",
        "openspec/specs/ledger/spec.md": f"# Ledger\n\n{LONG}\n",
        "openspec/specs/tax/spec.md": "---\ntitle: [never closed\n---\n# Tax\n\nRounded to the cent.\n",
        "openspec/changes/add-otp/proposal.md": "# A second factor\n\nSee [the design](design.md).\n",
        "openspec/changes/add-otp/tasks.md": "# Tasks\n\n- [ ] Send the code\n",
        "openspec/AGENTS.md": "# For agents\n\nWrite a proposal first.\n",
    },
    {f"openspec/{path}": "" for path in (
        "project.md", "specs/login/spec.md", "specs/session/spec.md", "specs/ledger/spec.md", "specs/tax/spec.md",
        "changes/add-otp/proposal.md", "changes/add-otp/tasks.md")} | {"openspec/AGENTS.md": "agents globs"},
    {("openspec/specs/session/spec.md", "duplicate_id"), ("openspec/specs/ledger/spec.md", "spec_too_long"),
     ("openspec/specs/tax/spec.md", "front_matter_broken"), ("openspec/changes/add-otp/proposal.md", "dead_link")},
    [Task("tick off what is done in openspec/changes/add-otp/tasks.md", {"openspec/AGENTS.md": "globs"}),
     Task(WEB, {})],
)

ALL_REPOSITORIES = (AGENTS, CLAUDE, CURSOR, COPILOT, KIRO, WINDSURF, CLINE, CLAUDE_RULES, SKILLS, OPENSPEC)
