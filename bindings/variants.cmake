# The WebAssembly modules that the package ships, one entry each:
#   <variant>_SUFFIX    what follows "layernorm" in the file names
#   <variant>_COMPILE   compile options beyond those of every variant
#   <variant>_LINK      link options beyond those of every variant
set(LAYERNORM_VARIANTS simd)

# One thread, simd128: inlined in the package's entry and exported as layernorm/layernorm.wasm. Its glue has no
# branch for Node: everything a runtime would be asked for (bytes, memory) is handed in.
set(simd_SUFFIX "")
set(simd_COMPILE "")
set(simd_LINK -sENVIRONMENT=web,worker)

# The package's version is compared with the JavaScript's when a module is loaded.
file(READ ${CMAKE_SOURCE_DIR}/package.json LAYERNORM_PACKAGE_JSON)
string(JSON LAYERNORM_VERSION GET ${LAYERNORM_PACKAGE_JSON} version)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/package.json)
