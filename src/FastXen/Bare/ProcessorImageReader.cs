using FastXen.Core.Float;
using FastXen.Core.State;
using FastXen.Mmu;

namespace FastXen.Bare;

/// <summary>Reads the registers that an object lists into a <see cref="ProcessorImage"/>.</summary>
internal static class ProcessorImageReader
{
    private const ulong SignExponentBits = 0x3_ffff;

    /// <summary>Mode, privilege level, byte order and loadrs.</summary>
    private const ulong RscBits = 0x3fff_001f;

    private const ulong FpsrReserved = 0xfc00_0000_0000_0000;

    /// <summary>
    /// Puts the listed registers into <paramref name="image"/>. Members that are no registers are given to <paramref name="other"/>,
    /// which returns false where it does not know them either.
    /// </summary>
    public static void Apply(JsonField state, ProcessorImage image, Func<string, JsonField, bool> other)
    {
        foreach ((string name, JsonField field) in state.Members())
        {
            switch (name)
            {
                case "gr":
                    ReadGeneral(field, image);
                    break;
                case "nat":
                    ReadNats(field, image, true);
                    break;
                case "nonat":
                    ReadNats(field, image, false);
                    break;
                case "fr":
                    ReadFloating(field, image);
                    break;
                case "br":
                    foreach ((string number, JsonField value) in field.Members())
                        image.Br[value.RegisterNumber(number, 0, 7)] = value.Number();
                    break;
                case "rr":
                    foreach ((string number, JsonField value) in field.Members())
                        image.Rr[value.RegisterNumber(number, 0, 7)] = ReadChecked(value, MmuRegisters.IsRr);
                    break;
                case "ar":
                    ReadApplication(field, image);
                    break;
                case "cr":
                    foreach ((string register, JsonField value) in field.Members())
                    {
                        int control = Number(RegisterNames.Control, register, value);
                        image.Cr[control] = control == Cr.Pta ? ReadChecked(value, MmuRegisters.IsPta) : value.Number();
                    }
                    break;
                case "pr":
                    image.Pr = field.Number() | 1;
                    break;
                case "psr":
                    image.Psr = ReadPsr(field);
                    break;
                case "cfm":
                    image.Cfm = ReadFrameMarker(field);
                    break;
                case "ip":
                    image.Ip = field.Number();
                    break;
                default:
                    if (!other(name, field))
                        throw field.Error("there is no such field");
                    break;
            }
        }
    }

    private static void ReadGeneral(JsonField field, ProcessorImage image)
    {
        foreach ((string name, JsonField value) in field.Members())
        {
            int number = value.RegisterNumber(name, 0, 127);
            image.Gr[number] = number == 0 ? value.Number(0) : value.Number();
        }
    }

    private static void ReadNats(JsonField field, ProcessorImage image, bool nat)
    {
        foreach (JsonField element in field.Elements())
        {
            ulong number = element.Number(127);
            if (number == 0)
                throw element.Error("r0 has no NaT bit");
            image.Nat[number] = nat;
        }
    }

    private static void ReadFloating(JsonField field, ProcessorImage image)
    {
        foreach ((string name, JsonField value) in field.Members())
        {
            int number = value.RegisterNumber(name, 0, 127);
            (JsonField signExponent, JsonField significand) = value.Pair();
            var register = new FloatRegister((uint)signExponent.Number(SignExponentBits), significand.Number());
            if (number < 2 && register != image.Fr[number])
                throw value.Error("f0 and f1 are constants");
            image.Fr[number] = register;
        }
    }

    private static void ReadApplication(JsonField field, ProcessorImage image)
    {
        foreach ((string name, JsonField value) in field.Members())
        {
            if (name == "um")
            {
                image.Psr = image.Psr & ~Psr.UserMask | value.Number(Psr.UserMask);
                continue;
            }
            ulong number = value.Number();
            int register = Number(RegisterNames.Application, name, value);
            image.Ar[register] = register switch
            {
                Ar.Rsc when (number & ~RscBits) != 0 => throw value.Error($"0x{number:x} has reserved bits"),
                Ar.Fpsr when !IsFpsr(number) => throw value.Error($"0x{number:x} has reserved bits or a reserved precision"),
                Ar.Bsp or Ar.BspStore when (number & 7) != 0 => throw value.Error($"0x{number:x} is not a multiple of 8"),
                Ar.Ec => value.Number(0x3f),
                _ => number,
            };
        }
    }

    private static bool IsFpsr(ulong fpsr)
    {
        if ((fpsr & FpsrReserved) != 0)
            return false;
        for (int field = 0; field < 4; field++)
        {
            const ulong reservedPrecision = 1;
            if ((fpsr >> (6 + 13 * field + 2) & 3) == reservedPrecision)
                return false;
        }
        return true;
    }

    private static ulong ReadChecked(JsonField field, Func<ulong, bool> isValid)
    {
        ulong number = field.Number();
        return isValid(number) ? number : throw field.Error($"0x{number:x} has reserved bits or an unimplemented size");
    }

    private static ulong ReadPsr(JsonField field)
    {
        ulong psr = field.Number();
        if ((psr & ~Psr.Implemented | psr & Psr.Is) != 0 || (psr & Psr.Ri) == Psr.Ri)
            throw field.Error($"0x{psr:x} has reserved bits");
        return psr;
    }

    private static ulong ReadFrameMarker(JsonField field)
    {
        ulong cfm = field.Number(FrameMarker.Mask);
        return FrameMarker.Malformed(cfm) ? throw field.Error($"0x{cfm:x} is no frame marker: its sizes contradict one another") : cfm;
    }

    private static int Number((string Name, int Number)[] names, string name, JsonField field)
    {
        int number = RegisterNames.Find(names, name);
        return number >= 0 ? number : throw field.Error("there is no such register");
    }
}
