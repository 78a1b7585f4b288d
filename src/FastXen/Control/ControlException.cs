namespace FastXen.Control;

/// <summary>A request cannot be done, or the host cannot be reached. The message is one sentence for the user; exit code 2.</summary>
internal sealed class ControlException(string problem, Exception? inner = null) : Exception(problem, inner);
