namespace FastXen.Smp.Host;

/// <summary>In which host thread's queue a vCPU goes.</summary>
/// <param name="Host">The host thread.</param>
/// <param name="Claimed">It was idle, and whoever made this is the one to wake it.</param>
internal readonly record struct Placement(int Host, bool Claimed);
