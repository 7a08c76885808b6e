// Stands in for the parts of Embind's JavaScript that what is registered here never runs, a third of the glue: all types are
// numbers, booleans or nothing, no function is overloaded, and every type has been registered once all functions have.
addToLibrary({
  // Types that no function takes or returns. Decoders of text, which two of them bring, are missing in audio worklets.
  _embind_register_bigint__deps: [],
  _embind_register_bigint: (_type, _name, _size, _least, _most) => {},
  _embind_register_emval__deps: [],
  _embind_register_emval: (_type) => {},
  _embind_register_memory_view__deps: [],
  _embind_register_memory_view: (_type, _index, _name) => {},
  _embind_register_std_string__deps: [],
  _embind_register_std_string: (_type, _name) => {},
  _embind_register_std_wstring__deps: [],
  _embind_register_std_wstring: (_type, _size, _name) => {},

  // How elements of vectors and fields of objects are read.
  $floatReadValueFromPointer: () => {},
  $integerReadValueFromPointer: () => {},

  // A function is exposed once, when its types are known: until then it would throw, of types that it waits for.
  $exposePublicSymbol__deps: [],
  $exposePublicSymbol: () => {},
  $replacePublicSymbol__deps: [],
  $replacePublicSymbol: (name, value) => {
    Module[name] = value;
  },
  $getTypeName__deps: [],
  $getTypeName: (type) => type, // without RTTI types have no names
  $throwUnboundTypeError__deps: [],
  $throwUnboundTypeError: () => {},

  // No argument leaves anything to be destroyed.
  $runDestructors: () => {},
  $usesDestructorStack: () => false,

  // For messages only: TypeScript words the errors.
  $createNamedFunction: (_name, body) => body,
  $embindRepr: () => '',
  $throwBindingError__deps: [],
  $throwBindingError: (message) => {
    throw new Error(message);
  },
  $throwInternalError__deps: [],
  $throwInternalError: (message) => {
    throw new Error(message);
  },
});
