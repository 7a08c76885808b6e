# What is linked, one entry each, in a folder of that name:
#   <variant>_FILE      name of the glue; that of the module beside it ends in .wasm
#   <variant>_CORE      the library of the core
#   <variant>_LINK      link options beyond those of every variant
#   <variant>_SOURCES   sources beyond those of every variant
set(LAYERNORM_VARIANTS simd simd_mt_web simd_mt_node)

# One thread, simd128: inlined in the package's entry and exported as layernorm/layernorm.wasm. Its glue has no
# branch for Node: everything a runtime would be asked for (bytes, memory) is handed in.
set(simd_FILE layernorm.mjs)
set(simd_CORE layernorm_core)
set(simd_LINK -sENVIRONMENT=web,worker -sEXPORT_ES6=1)

# Threads: loaded when they are asked for, exported as layernorm/layernorm-mt.wasm. One module with two glues, each
# of which is also what its workers run: one glue for both platforms would have a top-level await.
set(LAYERNORM_THREADS_LINK
  -pthread -Wno-pthreads-mem-growth
  -sPTHREAD_POOL_SIZE=0  # our pool starts workers when it is told how many, and waits for them
)
set(simd_mt_web_FILE layernorm-mt.mjs)
set(simd_mt_web_CORE layernorm_core_mt)
set(simd_mt_web_SOURCES small_pthread.cpp)
set(simd_mt_web_LINK ${LAYERNORM_THREADS_LINK} -sENVIRONMENT=web,worker -sEXPORT_ES6=1)
set(simd_mt_node_FILE layernorm-mt.cjs)
set(simd_mt_node_CORE layernorm_core_mt)
set(simd_mt_node_SOURCES small_pthread.cpp)
set(simd_mt_node_LINK ${LAYERNORM_THREADS_LINK} -sENVIRONMENT=node)

# The package's version is compared with the JavaScript's when a module is loaded.
file(READ ${CMAKE_SOURCE_DIR}/package.json LAYERNORM_PACKAGE_JSON)
string(JSON LAYERNORM_VERSION GET ${LAYERNORM_PACKAGE_JSON} version)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/package.json)
