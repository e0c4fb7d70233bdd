# bin/nanohouse, and beside it what it loads: the installed tree runs from anywhere, also after it was moved.
# The program's RPATH is $ORIGIN/../lib/nanohouse (src/app), and it finds its extensions from its own place.
install(TARGETS nanohouse RUNTIME DESTINATION bin)
set_target_properties(nanohouse PROPERTIES INSTALL_RPATH "\$ORIGIN/../lib/nanohouse")
install(FILES ${DUCKDB_ROOT}/lib/libduckdb.so DESTINATION lib/nanohouse)
install(DIRECTORY ${DUCKDB_ROOT}/extensions DESTINATION lib/nanohouse FILES_MATCHING PATTERN "*.duckdb_extension")
install(FILES LICENSE README.md CHANGELOG.md SECURITY.md DESTINATION share/doc/nanohouse)
install(DIRECTORY docs/ DESTINATION share/doc/nanohouse/docs)

# What is made of the command line itself: completion scripts and the manual page.
set(NANO_GENERATED ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${NANO_GENERATED})
foreach(made bash:nanohouse zsh:_nanohouse fish:nanohouse.fish man:nanohouse.1)
  string(REPLACE ":" ";" made ${made})
  list(GET made 0 verb)
  list(GET made 1 file)
  install(CODE "execute_process(COMMAND $<TARGET_FILE:nanohouse> completion ${verb} OUTPUT_FILE ${NANO_GENERATED}/${file} COMMAND_ERROR_IS_FATAL ANY)")
endforeach()
install(FILES ${NANO_GENERATED}/nanohouse DESTINATION share/bash-completion/completions)
install(FILES ${NANO_GENERATED}/_nanohouse DESTINATION share/zsh/site-functions)
install(FILES ${NANO_GENERATED}/nanohouse.fish DESTINATION share/fish/vendor_completions.d)
install(FILES ${NANO_GENERATED}/nanohouse.1 DESTINATION share/man/man1)
