const rule = (name, from, to) => ({ name, severity: "error", from, to });

/** Who may import whom: ARCHITECTURE.md, "Layers". */
module.exports = {
  forbidden: [
    rule("no-cycles", {}, { circular: true }),
    rule(
      "domain-is-pure",
      { path: "^agent/domain/" },
      { pathNot: ["^agent/domain/", "^(node:)?(util|crypto)$", "temporal-polyfill"] },
    ),
    rule(
      "commands-see-domain",
      { path: "^agent/commands/" },
      {
        path: "^(agent|drivers|simulator)/",
        pathNot: "^agent/(commands|domain)/|^agent/errors\\.ts$|^drivers/driver\\.ts$",
      },
    ),
    rule(
      "store-sees-commands",
      { path: "^agent/store/" },
      {
        path: "^(agent|drivers|simulator)/",
        pathNot: "^agent/(store|commands|domain)/|^agent/errors\\.ts$|^drivers/driver\\.ts$",
      },
    ),
    rule(
      "sync-sees-domain-and-contract",
      { path: "^agent/sync/" },
      {
        path: "^(agent|drivers|simulator)/",
        pathNot: "^agent/(sync|domain)/|^agent/errors\\.ts$|^drivers/driver\\.ts$",
      },
    ),
    rule("doors-do-not-see-sync", { path: "^agent/(mqtt|http)/" }, { path: "^agent/(sync|cli)/" }),
    rule("cli-is-a-client", { path: "^agent/cli/" }, { path: "^agent/(store|sync|mqtt|http)/" }),
    rule(
      "drivers-see-domain-and-contract",
      { path: "^drivers/" },
      { path: "^agent/", pathNot: "^agent/domain/|^agent/errors\\.ts$" },
    ),
    rule(
      "drivers-are-strangers",
      { path: "^drivers/([^/]+)/" },
      { path: "^drivers/[^/]+/", pathNot: "^drivers/($1|shared)/" },
    ),
    rule("only-simulated-is-simulated", { path: "^drivers/", pathNot: "^drivers/simulated/" }, { path: "^simulator/" }),
    rule(
      "simulated-sees-the-lock-only",
      { path: "^drivers/simulated/" },
      { path: "^simulator/", pathNot: "^simulator/(lock|lying-lock|faults?)\\.ts$" },
    ),
    rule(
      "simulated-lock-is-pure",
      { path: "^simulator/(lock|lying-lock|faults?|battery)\\.ts$" },
      {
        pathNot:
          "^simulator/(lock|lying-lock|faults?|battery)\\.ts$|^agent/domain/|^drivers/driver\\.ts$|^(node:)?crypto$|node_modules/zod/",
      },
    ),
    rule(
      "simulator-sees-domain-contract-and-codecs",
      { path: "^simulator/" },
      {
        path: "^(agent|drivers)/",
        pathNot: [
          "^agent/domain/|^agent/errors\\.ts$|^drivers/driver\\.ts$|^drivers/[^/]+/codec[^/]*\\.ts$",
          "^drivers/osdp/(bit-string|capabilities|card-format|check|commands|deframer|frame|key|nak|replies)\\.ts$",
        ],
      },
    ),
    rule(
      "agent-sees-contract-only",
      { path: "^agent/", pathNot: "^agent/main\\.ts$" },
      { path: "^drivers/", pathNot: "^drivers/driver\\.ts$" },
    ),
    rule(
      "only-main-knows-every-driver",
      { path: "^agent/main\\.ts$" },
      { path: "^drivers/", pathNot: "^drivers/(index|driver)\\.ts$" },
    ),
    rule(
      "only-verbs-of-the-simulator-see-it",
      { path: "^agent/", pathNot: "^agent/cli/(fault|simulate|simulated-house|scenario-file)\\.ts$" },
      { path: "^simulator/" },
    ),
    rule(
      "verbs-see-no-process-of-the-simulator",
      { path: "^agent/cli/" },
      { path: "^simulator/", pathNot: "^simulator/(fault|scenario|house|play)\\.ts$" },
    ),
    rule("nothing-imports-tests", { pathNot: "^test/" }, { path: "^test/" }),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|data)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
  },
};
