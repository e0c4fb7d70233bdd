// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ctrl-C and SIGTERM as a wish that long work asks about. The first one asks; the second ends the process at once,
/// which the stores survive. Any thread may ask.

namespace nano::io {

/// Installs the handlers of SIGINT and SIGTERM and ignores SIGPIPE. Once, at the start of the program.
void CatchStopSignals();
/// Whether a signal (or RequestStop) asked for an end.
bool StopRequested();
/// The same wish, from inside.
void RequestStop();

/// Catches SIGHUP, which otherwise ends the program, as a wish to read the warehouse's files again.
void CatchReloadSignal();
/// Whether SIGHUP came since the last call.
bool TakeReloadRequest();

}  // namespace nano::io
