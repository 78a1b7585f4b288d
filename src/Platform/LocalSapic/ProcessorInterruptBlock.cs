using FastXen.Events;
using FastXen.Mmu;

namespace FastXen.Platform.LocalSapic;

/// <summary>
/// The processor interrupt block (manual volume 2, 5.8.4): 1 MiB of addresses to which a store sends an interrupt message,
/// then 1 MiB with the INTA and XTP bytes.
/// </summary>
public sealed class ProcessorInterruptBlock(IInterruptSink sink) : IMmioRegion
{
    private const ulong MessageBytes = 1 << 20;
    private const ulong IntaOffset = 0x1E_0000;
    private const ulong XtpOffset = 0x1E_0008;

    private byte xtp;

    /// <summary>
    /// The external task priority byte as written last. Lowest-priority messages go to the processor that they name, so it is
    /// only kept.
    /// </summary>
    public byte Xtp => xtp;

    /// <inheritdoc/>
    public string NameAt(ulong offset) => "interrupt block";

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size) => offset switch
    {
        // There is no 8259 to answer the acknowledge cycle: the bus floats.
        IntaOffset when size == 1 => 0xff,
        _ => 0,
    };

    /// <inheritdoc/>
    public void Write(ulong offset, int size, ulong value)
    {
        if (offset < MessageBytes)
        {
            // Stores of a message are 8 bytes (processors) or 4 bytes (MSI writes through the block); others are undefined.
            if (size >= 4 && InterruptMessage.TryDecode(0, offset, (uint)value, out InterruptMessage message))
                message.PostTo(sink);
        }
        else if (offset == XtpOffset && size == 1)
        {
            xtp = (byte)value;
        }
    }
}
