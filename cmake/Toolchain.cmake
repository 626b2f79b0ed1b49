# Compiler flags shared by every target, ccache, mold and the sanitizers.

set(CHERAX_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, for example address,undefined")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # base_dir makes a clone in another folder hit the same cache entries.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of g++ 12 in its own library headers.
  add_compile_options(-Wno-restrict -Wno-dangling-pointer -Wno-maybe-uninitialized -Wno-stringop-overread -Wno-array-bounds -Wno-stringop-overflow)
endif()

if(CHERAX_SANITIZE)
  add_compile_options(-fsanitize=${CHERAX_SANITIZE} -fno-omit-frame-pointer)
  if(CHERAX_SANITIZE MATCHES "undefined")
    # The four checks that double the build time for next to no finding in code without raw casts.
    add_compile_options(-fno-sanitize=null,vptr,alignment,object-size -fno-sanitize-recover=all)
  endif()
  add_link_options(-fsanitize=${CHERAX_SANITIZE})
endif()
