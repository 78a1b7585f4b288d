namespace FastXen.Core.Interpret;

/// <summary>What a handler tells the run loop.</summary>
public static class Step
{
    /// <summary>Go on with the next slot.</summary>
    public const int Next = 0;

    /// <summary>The handler has set <see cref="State.VcpuState.Ip"/> and slot: a taken branch, a fault, rfi.</summary>
    public const int Redirect = 1;

    /// <summary>As <see cref="Redirect"/>, and leave the run loop: halt, stop request, reset.</summary>
    public const int Leave = 2;

    /// <summary>The slot completed and execution goes on at the next slot, but translations, PSR or timers changed: the loop re-examines them first.</summary>
    public const int Resync = 3;
}
