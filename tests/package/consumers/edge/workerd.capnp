using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [ (name = "main", worker = .worker) ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "main") ],
);

const worker :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "bundle/worker.js"),
    (name = "layernorm.wasm", wasm = embed "bundle/layernorm.wasm"),
    (name = "layernorm/layernorm-kernels.wasm", wasm = embed "node_modules/layernorm/dist/layernorm-kernels.wasm"),
  ],
  compatibilityDate = "2026-11-01",
);
