using System.Globalization;
using Iced.Intel;

namespace FastXen.Diagnostics;

/// <summary>Host code as text.</summary>
internal static class HostDisassembler
{
    /// <summary>A line for each instruction of code that runs at <paramref name="address"/>.</summary>
    public static IEnumerable<string> Format(byte[] code, nint address)
    {
        Decoder decoder = Decoder.Create(64, code, (ulong)address);
        NasmFormatter formatter = new();
        formatter.Options.SpaceAfterOperandSeparator = true;
        StringOutput text = new();
        while (decoder.IP < (ulong)address + (ulong)code.Length)
        {
            decoder.Decode(out Instruction instruction);
            formatter.Format(instruction, text);
            yield return string.Create(CultureInfo.InvariantCulture, $"{instruction.IP:x12}  {text.ToStringAndReset()}");
        }
    }
}
