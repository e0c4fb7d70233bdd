# bin/nanohouse, and beside it what it loads: the installed tree runs from anywhere, also after it was moved.
# The program's RPATH is $ORIGIN/../lib/nanohouse (src/app), and it finds its extensions from its own place.
install(TARGETS nanohouse RUNTIME DESTINATION bin)
set_target_properties(nanohouse PROPERTIES INSTALL_RPATH "\$ORIGIN/../lib/nanohouse")
install(FILES ${DUCKDB_ROOT}/lib/libduckdb.so DESTINATION lib/nanohouse)
install(DIRECTORY ${DUCKDB_ROOT}/extensions DESTINATION lib/nanohouse FILES_MATCHING PATTERN "*.duckdb_extension")
install(FILES LICENSE README.md CHANGELOG.md SECURITY.md DESTINATION share/doc/nanohouse)
install(DIRECTORY docs/ DESTINATION share/doc/nanohouse/docs)
