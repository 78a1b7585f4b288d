namespace FastXen.Xen.Console;

/// <summary>The hypervisor's console as a domain has it by console_io: dom0's own one, and where others say what they can say nowhere else.</summary>
public interface IHypervisorConsole
{
    /// <summary>Takes what a guest writes; never waits for a reader. Any vCPU's thread.</summary>
    void Write(ReadOnlySpan<byte> text);

    /// <summary>Gives what was typed; returns how many bytes. Any vCPU's thread.</summary>
    int Read(Span<byte> destination);
}
