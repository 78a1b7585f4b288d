namespace FastXen.Core;

/// <summary>Why a vCPU left its run loop.</summary>
public enum VcpuStop
{
    /// <summary>Still running.</summary>
    None,
    /// <summary>The guest powered the machine off.</summary>
    PowerOff,
    /// <summary>The guest asked for a reset.</summary>
    Reboot,
    /// <summary>The guest halted this processor for good.</summary>
    Halted,
    /// <summary>The host asked.</summary>
    Requested,
    /// <summary>The stop address or step limit of a bare run was reached.</summary>
    Limit,
    /// <summary>An internal invariant broke, or the guest met an unrecoverable machine check; the domain is stopped with a dump.</summary>
    Crashed,
}
