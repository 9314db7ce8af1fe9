// What `pu plugin build` gives to node in the plugin's folder: package.json's `main` becomes the component that the last
// argument names. Without the listed features there is no WASI in it.
import { readFile, writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";

const { main = "plugin.js" } = JSON.parse(await readFile("package.json", "utf8"));
const { component } = await componentize({
  sourcePath: main,
  witPath: "wit",
  worldName: "assembler",
  disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
});
await writeFile(process.argv.at(-1), component);
