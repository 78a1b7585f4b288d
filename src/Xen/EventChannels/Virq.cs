namespace FastXen.Xen.EventChannels;

/// <summary>Virtual interrupts (public headers xen.h and arch-ia64.h).</summary>
public static class Virq
{
    /// <summary>The timers of vcpu_op; per vCPU.</summary>
    public const int Timer = 0;

    /// <summary>A debugger wants the domain to show its state; per vCPU.</summary>
    public const int Debug = 1;

    /// <summary>Input on the emergency console.</summary>
    public const int Console = 2;

    /// <summary>A domain shut down, crashed or was destroyed.</summary>
    public const int DomainException = 3;

    /// <summary>A domain paused for its debugger.</summary>
    public const int Debugger = 6;

    /// <summary>The interval timer; per vCPU.</summary>
    public const int Itc = 16;

    /// <summary>Corrected machine check; per vCPU.</summary>
    public const int MachineCheckCmc = 17;

    /// <summary>Corrected platform error.</summary>
    public const int MachineCheckCpe = 18;

    /// <summary>Numbers are lower.</summary>
    public const int Count = 24;

    private const int Xenoprof = 7;

    /// <summary>Bound once in a domain (to vCPU 0 first); the others are bound once on each vCPU and stay there.</summary>
    public static bool IsGlobal(int virq) => virq is not (Timer or Debug or Xenoprof or Itc or MachineCheckCmc);
}
